"""Writes lines of Python's JSON loggers, each to the file LOGGER.ndjson of a directory: one info and five errors.

What the five are differs in how they came about (a call, an exception, extra fields, half a character, a severe level); the message of
each begins with "failed".
"""

import contextlib
import logging
import pathlib
import sys


def standard(formatter, file, **fields):
    handler = logging.StreamHandler(file)
    handler.setFormatter(formatter)
    logger = logging.getLogger("shop.db")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.DEBUG)
    logger.info("started")
    logger.error("failed 1")
    try:
        raise ValueError("no")
    except ValueError:
        logger.exception("failed 2")
    logger.error("failed %d", 3, extra={"order": {"id": 7}, "items": [1, "x"]})
    logger.error("failed 4", extra={"cut": "\ud83d", **fields})
    logger.critical("failed 5")


def ecs(file):
    import ecs_logging

    # Fields stand among the members of its own, where theirs are called otherwise.
    standard(ecs_logging.StdlibFormatter(), file, level="debug", label="x")


def python_json_logger(file):
    from pythonjsonlogger.json import JsonFormatter

    # Without a format it writes no level: nobody could tell an error.
    standard(JsonFormatter("%(levelname)s %(name)s %(message)s", timestamp=True), file)


def structlog(file):
    import structlog

    # Its logger has a name if it is one of the standard library's.
    standard_logger = logging.getLogger("shop.db")
    standard_logger.handlers, standard_logger.propagate = [logging.StreamHandler(file)], False
    standard_logger.setLevel(logging.DEBUG)
    structlog.configure(
        processors=[
            structlog.stdlib.add_logger_name,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    logger = structlog.get_logger("shop.db")
    logger.info("started")
    logger.error("failed 1")
    try:
        raise ValueError("no")
    except ValueError:
        # Its exception() would write the traceback as text, too.
        logger.error("failed 2", exc_info=True)
    logger.error("failed 3", order={"id": 7}, items=[1, "x"])
    logger.error("failed 4", cut="\ud83d")
    logger.critical("failed 5")


def main():
    directory = pathlib.Path(sys.argv[1])
    for name, write in {"ecs-logging": ecs, "python-json-logger": python_json_logger, "structlog": structlog}.items():
        with open(directory / f"{name}.ndjson", "w", encoding="utf-8") as file, contextlib.redirect_stdout(file):
            write(file)


if __name__ == "__main__":
    main()
