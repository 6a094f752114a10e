#!/bin/bash
# structlog's exception() writes lines that are no JSON behind the JSON line, with the settings of its own guide.
#
# format_exc_info puts the traceback into the JSON line. On a logger of the standard library exception() then calls the method of
# that name there, which takes the exception for itself and appends the traceback once more, as text. What reads a log by lines
# takes each of these for a record of its own. error(…, exc_info=True) writes the JSON line alone, as exception() did in 21.5.0.
# Known as hynek/structlog#590.
#
# Seen with structlog 26.1.0 (PyPI):
#   exception(): 5 lines, 1 of them JSON; error(exc_info=True): 1 line, 1 of them JSON
source "$(dirname "$0")/lib.sh"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check structlog==26.1.0
cat >"$work/shop.py" <<'END'
import logging, sys, structlog

logging.basicConfig(format="%(message)s", stream=sys.stdout, level=logging.INFO)
structlog.configure(
    processors=[
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
    logger_factory=structlog.stdlib.LoggerFactory(),
)
try:
    raise ValueError("no")
except ValueError:
    logger = structlog.get_logger()
    logger.exception("failed") if sys.argv[1] == "exception" else logger.error("failed", exc_info=True)
END
"$work/venv/bin/python" -c 'import importlib.metadata; print("structlog", importlib.metadata.version("structlog"))'
# Each with the number of its lines, and of those that are JSON.
for method in exception error; do
    "$work/venv/bin/python" "$work/shop.py" "$method" >"$work/$method"
    counts="$(wc -l <"$work/$method") $(grep -c '^{' "$work/$method")"
    case $method in
        exception) expect "exception()" "$counts" "5 1" ;;
        error) expect "error(exc_info=True)" "$counts" "1 1" ;;
    esac
done
