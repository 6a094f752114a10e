# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""aliyun-log-producer: puts in both compressions. The Python SDK reads it back; see read_back.py."""

import aliyun_log_producer

from shared import HOST, KEY, LOGS, LOGSTORE, NANOSECONDS, NOW, PROJECT, SOURCE, compare


def main():
    for compression in ("zstd", "lz4"):
        config = aliyun_log_producer.ProducerConfig(
            endpoint=f"http://{HOST}", access_key_id=KEY[0], access_key_secret=KEY[1], compression=compression, max_attempts=1
        )
        errors = []

        def note(error):
            errors.append(error and f"{error.kind}: {error.message}")

        with aliyun_log_producer.Producer(config) as producer:
            writer = producer.writer(PROJECT, LOGSTORE)
            for log in LOGS:
                writer.send(log, time=NOW, time_ns=NANOSECONDS, source=SOURCE, topic=f"rust-{compression}", on_delivery=note)
            producer.flush()
        compare(compression, errors, [None] * len(LOGS))
    print(f"aliyun-log-producer-{aliyun_log_producer.__version__}: 2 puts")


if __name__ == "__main__":
    main()
