"""The configuration of a stack: every setting with its type, bounds, default and meaning.

In `Pulumi.<stack>.yaml` a section is one key of the project's namespace and names are in camelCase.
Stacks differ here and nowhere else.
"""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct, structs
from typing_extensions import override

__all__ = [
    "Alarms",
    "Archive",
    "Artifacts",
    "Athena",
    "Checkpoint",
    "Configuration",
    "Function",
    "Layer",
    "Layers",
    "Run",
    "Schedule",
    "Section",
    "Source",
]


def _text(pattern: str, description: str, max_length: int | None = None) -> Meta:
    """Describe a text that matches the whole pattern; people are told the description."""
    return Meta(pattern=rf"^({pattern})(?![\s\S])", description=description, max_length=max_length)


# Without * ? and $, which mean something in a policy, and without empty, . and .. parts.
_PART: Final = r"(?!\.\.?(?:/|(?![\s\S])))[A-Za-z0-9!_.()=-]+"
_REGIONAL: Final = r"[a-z0-9-]+:[0-9]{12}"

# Joined and with what is put behind them they must fit into 64 characters.
Service = Annotated[str, _text(r"[a-z][a-z0-9-]{0,31}", "a lower-case name, 32 characters at most")]
Environment = Annotated[
    str, _text(r"[a-z][a-z0-9-]{0,19}", "a lower-case name, 20 characters at most")
]
Label = Annotated[str, _text(r"[!-~][ -~]{0,253}", "printable ASCII text")]
TagKey = Annotated[str, _text(r"[A-Za-z0-9 _.:/=+@-]{1,128}", "a tag's name")]
Region = Annotated[str, _text(r"[a-z]{2}(-[a-z]+)+-[0-9]", "a region such as us-east-1")]
AccountId = Annotated[str, _text(r"[0-9]{12}", "an account's twelve digits, in quotation marks")]
BucketName = Annotated[str, _text(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket's name")]
Folder = Annotated[
    str, _text(rf"({_PART}/)*", "a folder such as prod/, with its slash, or empty", 512)
]
Key = Annotated[
    str, _text(rf"({_PART}/)*{_PART}\.parquet", "a key such as checkpoints/events.parquet", 512)
]
KmsKeyArn = Annotated[
    str,
    _text(rf"arn:aws[a-z-]*:kms:{_REGIONAL}:key/[A-Za-z0-9-]+", "a KMS key's ARN, not an alias"),
]
LayerArn = Annotated[
    str,
    _text(
        rf"arn:aws[a-z-]*:lambda:{_REGIONAL}:layer:[A-Za-z0-9_-]+:[0-9]+",
        "a layer's ARN with its version",
    ),
]
LayerName = Annotated[str, _text(r"[A-Za-z0-9_-]{1,140}", "a layer's name")]
TopicArn = Annotated[str, _text(rf"arn:aws[a-z-]*:sns:{_REGIONAL}:[A-Za-z0-9_-]+", "a topic's ARN")]
Email = Annotated[str, _text(r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address")]
Pattern = Annotated[str, _text(r"[^\s,]+", "a pattern without spaces and commas")]
Expression = Annotated[
    str, _text(r"(cron|rate)\([^()]+\)", "cron(...) or rate(...), as the scheduler has them")
]
DatabaseName = Annotated[str, _text(r"[a-z][a-z0-9_]{0,254}", "a lower-case name without hyphens")]
Days = Annotated[int, Meta(ge=1, le=36_500)]
RetentionDays = Literal[
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3653,
]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """A group of settings that belong together."""

    def problems(self) -> Iterator[str]:
        """Say what is wrong with settings that are each right by themselves."""
        yield from ()


class Archive(Section, frozen=True):
    """When event objects are moved to cheaper storage, and when they are removed.

    Objects of a few hundred bytes cost more archived than not: an archived object is billed for
    40 KB more than it has. A run cannot read what is archived, only what is restored.
    """

    glacier_days: Days | None = None
    deep_archive_days: Days | None = None
    expiry_days: Days | None = None

    @override
    def problems(self) -> Iterator[str]:
        """Ask for at least one of them, each later than the one before, as S3 does."""
        steps = [self.glacier_days, self.deep_archive_days, self.expiry_days]
        days = [step for step in steps if step is not None]
        if not days:
            yield "give at least one of glacierDays, deepArchiveDays and expiryDays"
        if days != sorted(set(days)):
            yield "glacierDays, deepArchiveDays and expiryDays must follow one another"
        # A minimum of storage time is billed anyhow, and S3 refuses the second step before it.
        if (
            self.glacier_days
            and self.deep_archive_days
            and self.deep_archive_days - self.glacier_days < 90
        ):
            yield "deepArchiveDays must be at least 90 days after glacierDays"


class Source(Section, frozen=True):
    """The bucket of the event objects.

    `create` makes the bucket, `owns_lifecycle` replaces whatever lifecycle rules an existing one
    has; a bucket has one set of rules, so that only one stack may own them.
    """

    bucket: BucketName
    prefix: Folder = ""
    create: bool = False
    owns_lifecycle: bool = False
    noncurrent_days: Days = 30
    kms_key_arn: KmsKeyArn | None = None
    archive: Archive | None = None

    @override
    def problems(self) -> Iterator[str]:
        """Refuse rules for a bucket whose rules are somebody else's."""
        if self.archive and not (self.create or self.owns_lifecycle):
            yield "archive needs create or ownsLifecycle: it replaces the bucket's lifecycle rules"


class Checkpoint(Section, frozen=True):
    """The bucket and the key of the checkpoint; `create` and `owns_lifecycle` as in Source."""

    bucket: BucketName
    key: Key = "checkpoints/events.parquet"
    create: bool = False
    owns_lifecycle: bool = False
    noncurrent_days: Days = 30
    kms_key_arn: KmsKeyArn | None = None

    @property
    def folder(self) -> str:
        """The part of the key before the file's name, with its slash; may be empty."""
        return self.key[: self.key.rfind("/") + 1]

    @property
    def stem(self) -> str:
        """The file's name without its suffix."""
        return self.key[len(self.folder) :].removesuffix(".parquet")


class Artifacts(Section, frozen=True):
    """The archives that were built, and the bucket through which layers are published."""

    path: Annotated[str, Meta(min_length=1)] = "../dist/lambda"
    bucket: BucketName | None = None
    prefix: Folder = "lambda-layers/"
    create: bool = False

    @override
    def problems(self) -> Iterator[str]:
        """Refuse to create a bucket without a name."""
        if self.create and self.bucket is None:
            yield "create needs a bucket's name"


class Layer(Section, frozen=True):
    """Where one layer comes from.

    `build` publishes the built archive whenever its content changed, and with another `renewal`
    text also when it did not; `reuse` takes the newest existing version of that name; `external`
    takes the version that `arn` names, also another account's.
    """

    mode: Literal["build", "reuse", "external"] = "build"
    name: LayerName | None = None
    arn: LayerArn | None = None
    renewal: Annotated[str, Meta(min_length=1, max_length=100)] | None = None

    @override
    def problems(self) -> Iterator[str]:
        """Refuse what the mode would ignore."""
        if (self.mode == "external") != (self.arn is not None):
            yield "arn, with its version, belongs to mode external, which needs it"
        if self.renewal is not None and self.mode != "build":
            yield "renewal belongs to mode build"
        if self.name is not None and self.mode == "external":
            yield "name belongs to modes build and reuse"


class Layers(Section, frozen=True):
    """The three layers; the function sees them in this order."""

    observability: Layer = Layer()
    data_processing: Layer = Layer()
    aws_sdk: Layer = Layer()

    def by_name(self) -> dict[str, Layer]:
        """Return each layer by the name of its archive, in order."""
        return {
            field.name.replace("_", "-"): getattr(self, field.name)
            for field in structs.fields(self)
        }


class Function(Section, frozen=True):
    """The function's size, logs, traces and versions.

    `telemetry_layer_arn` adds AWS's managed OpenTelemetry layer; without it the function still
    appears in X-Ray, without the stages of a run. `pinned_version` keeps the alias on that
    published version; otherwise it follows the newest.
    """

    runtime: Literal["python3.11", "python3.12", "python3.13"] = "python3.12"
    architecture: Literal["arm64", "x86_64"] = "arm64"
    memory_mb: Annotated[int, Meta(ge=128, le=10_240)] = 3_008
    timeout_s: Annotated[int, Meta(ge=60, le=900)] = 900
    ephemeral_storage_mb: Annotated[int, Meta(ge=512, le=10_240)] = 2_048
    log_retention_days: RetentionDays = 30
    log_kms_key_arn: KmsKeyArn | None = None
    tracing: bool = True
    telemetry_layer_arn: LayerArn | None = None
    reserved_concurrency: Annotated[int, Meta(ge=1)] | None = None
    max_retries: Annotated[int, Meta(ge=0, le=2)] = 0
    max_event_age_s: Annotated[int, Meta(ge=60, le=21_600)] = 3_600
    pinned_version: Annotated[int, Meta(ge=1)] | None = None

    @override
    def problems(self) -> Iterator[str]:
        """Refuse a layer for traces that nobody takes."""
        if self.telemetry_layer_arn and not self.tracing:
            yield "telemetryLayerArn needs tracing"


class Run(Section, frozen=True):
    """What the function is told beside the locations; what is left out has the code's default.

    Each is the environment variable of the same name, in upper case.
    """

    event_format: Literal["1.0", "1.1"] | None = None
    exclude_projects: list[Pattern] = []
    compression: Literal["snappy", "zstd", "lz4", "uncompressed"] | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    max_object_size_bytes: Annotated[int, Meta(ge=1, le=1_073_741_824)] | None = None
    max_events_per_run: Annotated[int, Meta(ge=1, le=100_000_000)] | None = None
    batch_objects: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    row_group_rows: Annotated[int, Meta(ge=1, le=100_000_000)] | None = None
    commit_attempts: Annotated[int, Meta(ge=1, le=100)] | None = None
    listed_failures: Annotated[int, Meta(ge=0, le=1_000)] | None = None
    reserve_seconds: Annotated[float, Meta(ge=0, le=900)] | None = None
    future_tolerance_seconds: Annotated[float, Meta(ge=0, le=315_360_000)] | None = None
    ledger_retention_days: Annotated[float, Meta(ge=0, le=36_500)] = 30
    read_concurrency: Annotated[int, Meta(ge=1, le=1_024)] | None = None


class Schedule(Section, frozen=True):
    """When the function runs, and how long a delivery that failed is tried again."""

    expression: Expression
    time_zone: Annotated[str, Meta(min_length=1)] = "UTC"
    enabled: bool = True
    max_retries: Annotated[int, Meta(ge=0, le=185)] = 5
    max_event_age_s: Annotated[int, Meta(ge=60, le=86_400)] = 3_600


class Alarms(Section, frozen=True):
    """The thresholds, and who is told: an existing topic, or a topic made for e-mail addresses.

    `expected_run_hours` must be longer than the schedule's longest pause; CloudWatch looks back a
    week at most.
    """

    topic_arn: TopicArn | None = None
    emails: list[Email] = []
    topic_kms_key_arn: KmsKeyArn | None = None
    require_actions: bool = False
    duration_minutes: Annotated[float, Meta(gt=0, le=15)] = 10
    failed_percent: Annotated[float, Meta(ge=0, lt=100)] = 10
    expected_run_hours: Annotated[int, Meta(ge=1, le=168)] = 26
    stale_days: Annotated[int, Meta(ge=1, le=365)] = 7

    @override
    def problems(self) -> Iterator[str]:
        """Refuse alarms that nobody hears where somebody must, and two answers to one question."""
        if self.topic_arn and self.emails:
            yield "give topicArn or emails, not both: subscribe addresses to that topic instead"
        if self.topic_kms_key_arn and not self.emails:
            yield "topicKmsKeyArn belongs to a topic made for emails"
        if self.require_actions and not (self.topic_arn or self.emails):
            yield "requireActions is on and nobody is told: give topicArn or emails"


class Athena(Section, frozen=True):
    """The database of the table `checkpoint_events`; a stack's own, or one made here."""

    database: DatabaseName
    create_database: bool = True


class Configuration(Section, frozen=True):
    """Everything that a stack is told.

    `account` is where it may be deployed, and nowhere else. `service` and `environment` are the
    dimensions of every metric; joined they are the function's name, and `environment` the alias.
    """

    environment: Environment
    region: Region
    account: AccountId
    source: Source
    checkpoint: Checkpoint
    schedule: Schedule
    service: Service = "event-log-checkpoint"
    # Objects in S3 take ten, and three are ours.
    tags: Annotated[dict[TagKey, Label], Meta(max_length=7)] = {}
    artifacts: Artifacts = Artifacts()
    layers: Layers = Layers()
    function: Function = Function()
    run: Run = Run()
    alarms: Alarms = Alarms()
    athena: Athena | None = None
