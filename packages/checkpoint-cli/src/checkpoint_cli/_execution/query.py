"""What `nacc-checkpoint query` does."""

from checkpoint_cli._emptiness import reasons
from checkpoint_cli._failures import ended_well
from checkpoint_cli._filters import FilterOptions, ParameterOptions
from checkpoint_cli._form import Form
from checkpoint_cli._opening import opened, reading, scanned
from checkpoint_cli._options import checkpoint_store
from checkpoint_cli._printing.answers import deliver
from checkpoint_cli._printing.text import complain
from checkpoint_cli._questions import ask, filters_of, parameters_of
from checkpoint_core import CheckpointError
from checkpoint_queries import QUERIES
from checkpoint_storage.scratch import temporary_folder

__all__ = ["answer"]


class _NoLedgerError(CheckpointError):
    """The query reads the ledger, and it is not there."""

    def __init__(self, location: str, query: str) -> None:
        super().__init__(
            f"{location}: its ledger is not beside it, as with a copy, and {query} reads that. "
            "Ask the checkpoint where it was made."
        )


def answer(
    checkpoint: str,
    name: str,
    filters: FilterOptions,
    parameters: ParameterOptions,
    *,
    form: Form,
    debug: bool,
) -> None:
    """Answer the query of this name in the form that is asked for."""
    query = QUERIES[name]
    taken = parameters_of(query, parameters)
    store = checkpoint_store(checkpoint)
    with ended_well(as_json=form.as_json, debug=debug), temporary_folder() as workdir:
        files = opened(store, workdir, ledger=query.reads_ledger)
        file = files.ledger if query.reads_ledger else files.events
        if file is None:
            raise _NoLedgerError(store.location, query.name)
        asked, why = filters_of(filters), list[str]()
        with reading(file, store):
            found = ask(query, file, asked, taken, limit=form.rows)
            if not found.total:
                why += reasons(scanned(file), files.metadata, asked, taken.get("as_of"))
        deliver(found, form)
        for reason in why:
            complain(f"note: {reason}")
