"""Serve synthetic event objects from a process of its own, for a limited time.

The first line of output is the endpoint's URL, the second the port. With --until-eof it ends when
its standard input is closed, and answers each line of it by how many requests of each operation
there were since the last, as JSON; in any case it ends after --seconds.
"""

import argparse
import json
import signal
import sys
import threading

from tests.fake_s3.server import serve
from tests.fake_s3.store import FakeS3
from tests.fake_s3.synthetic import SyntheticEvents


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fake_s3", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 for any that is free")
    parser.add_argument("--bucket", action="append", help="may be repeated; the first has objects")
    parser.add_argument("--objects", type=int, default=0, help="number of event objects")
    parser.add_argument("--archived", type=int, default=0, help="how many of them are in Glacier")
    parser.add_argument("--prefix", default="", help="of the objects' keys")
    parser.add_argument("--page-size", type=int, default=1000, help="keys on a page of a listing")
    parser.add_argument("--get-latency-ms", type=float, default=0.0)
    parser.add_argument("--list-latency-ms", type=float, default=0.0)
    parser.add_argument("--put-latency-ms", type=float, default=0.0)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long to serve")
    parser.add_argument("--until-eof", action="store_true", help="end with standard input")
    return parser.parse_args()


def _answer_until_eof(s3: FakeS3, ended: threading.Event) -> None:
    for _ in sys.stdin:
        counts = s3.log.operations()
        s3.log.clear()
        sys.stdout.write(f"{json.dumps(counts)}\n")
        sys.stdout.flush()
    ended.set()


def main() -> None:
    """Serve until the time is over, or until the process is asked to end."""
    arguments = _arguments()
    s3 = FakeS3(page_size=arguments.page_size)
    s3.log.enabled = arguments.until_eof
    buckets = arguments.bucket or ["events"]
    for bucket in buckets:
        s3.create_bucket(bucket)
    events = SyntheticEvents(
        arguments.objects, prefix=arguments.prefix, archived=arguments.archived
    )
    s3.generate(buckets[0], events)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    if arguments.until_eof:
        threading.Thread(target=_answer_until_eof, args=(s3, ended), daemon=True).start()
    latency_s = {
        "GetObject": arguments.get_latency_ms / 1000,
        "HeadObject": arguments.get_latency_ms / 1000,
        "ListObjectsV2": arguments.list_latency_ms / 1000,
        "PutObject": arguments.put_latency_ms / 1000,
    }
    with serve(s3, port=arguments.port, latency_s=latency_s) as server:
        sys.stdout.write(f"{server.endpoint_url}\n{server.port}\n")
        sys.stdout.flush()
        ended.wait(arguments.seconds)


if __name__ == "__main__":
    main()
