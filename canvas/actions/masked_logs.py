"""Keeping what was opened out of the log of this process, whoever writes there: libraries log what they send."""

import logging
from collections import OrderedDict
from contextlib import suppress
from traceback import format_exception
from typing import Any, Final

from canvas.actions.masking import Masker, masker_for

_MAX_KEPT: Final = 256
_plain_record = logging.getLogRecordFactory()
_kept: OrderedDict[frozenset[str], None] = OrderedDict()


def keep_out_of_logs(secrets: frozenset[str]) -> None:
    """Mask these secrets from now on in everything that is logged here, tracebacks included.

    The last 256 sets of secrets are known; each is masked until so many others were opened after it.
    """
    if not secrets:
        return
    _kept[secrets] = None
    _kept.move_to_end(secrets)
    while len(_kept) > _MAX_KEPT:
        _kept.popitem(last=False)
    if logging.getLogRecordFactory() is not _masked_record:
        logging.setLogRecordFactory(_masked_record)


def _masked_record(*args: Any, **options: Any) -> logging.LogRecord:
    record = _plain_record(*args, **options)
    with suppress(TypeError, ValueError):  # arguments that do not fit the message: logging tells whoever wrote it
        _mask(record, masker_for(frozenset().union(*_kept)))
    return record


def _mask(record: logging.LogRecord, masker: Masker) -> None:
    told = record.getMessage()
    masked = masker.text(told)
    if masked != told:
        record.msg, record.args = masked, ()
    if record.exc_info and record.exc_info[0] is not None:
        trace = "".join(format_exception(*record.exc_info)).rstrip("\n")
        masked = masker.text(trace)
        if masked != trace:
            record.exc_info, record.exc_text = None, masked
