# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""alibabacloud-sls20201230: puts in both signatures and all compressions, and reads back."""

import importlib.metadata

from alibabacloud_sls20201230 import models
from alibabacloud_sls20201230.client import Client
from alibabacloud_tea_openapi.models import Config
from darabonba.runtime import RuntimeOptions

from shared import (FOUND, HOST, KEY, LOGS, LOGSTORE, NANOSECONDS, NOW, PROJECT, QUERY, RANGE, REGION, SOURCE, TAGS, compare,
                    flat, proxy)


def client(version):
    return Client(
        Config(access_key_id=KEY[0], access_key_secret=KEY[1], endpoint=HOST, region_id=REGION, protocol="http",
               http_proxy=proxy(), signature_version=version)
    )


def group(topic):
    items = [
        models.LogItem(time=NOW, time_ns=NANOSECONDS,
                       contents=[models.LogContent(key=key, value=value) for key, value in log.items()])
        for log in LOGS
    ]
    tags = [models.LogTag(key=key, value=value) for key, value in TAGS.items()]
    return models.LogGroup(topic=topic, source=SOURCE, log_tags=tags, log_items=items)


def get_logs(sdk, topic, query, encoding=None):
    request = models.GetLogsRequest(from_=RANGE[0], to=RANGE[1], topic=topic, query=query, line=100, offset=0, reverse=False)
    headers = models.GetLogsHeaders(accept_encoding=encoding)
    body = sdk.get_logs_with_options(PROJECT, LOGSTORE, request, headers, RuntimeOptions()).body
    compare("complete", (body.meta.progress, body.meta.count), ("Complete", len(body.data)))
    return body.data


def check_read(sdk, topic, time):
    for encoding in (None, "lz4", "zstd"):
        compare("GetLogs", get_logs(sdk, topic, "*", encoding), [{**flat(topic, log), **time} for log in LOGS])
    compare("a search", [int(log["index"]) for log in get_logs(sdk, topic, QUERY)], FOUND)
    request = models.GetHistogramsRequest(from_=RANGE[0], to=RANGE[1], topic=topic, query="level: error")
    compare("GetHistograms", sum(part.count for part in sdk.get_histograms(PROJECT, LOGSTORE, request).body), 2)


def main():
    puts = 0
    time = {"__time__": str(NOW), "__time_ns_part__": str(NANOSECONDS)}
    for version in ("v1", "v4"):
        sdk = client(version)
        for compression in ("zstd", "lz4", "deflate"):
            topic = f"sls-{version}-{compression}"
            request = models.PutLogsRequest(body=group(topic))
            headers = models.PutLogsHeaders(x_log_compresstype=compression)
            sdk.put_logs_with_options(PROJECT, LOGSTORE, request, headers, RuntimeOptions())
            puts += 1
            check_read(sdk, topic, time)
        # Web tracking, which this client signs, too.
        topic = f"sls-{version}-track"
        sdk.put_webtracking(PROJECT, LOGSTORE, models.PutWebtrackingRequest(logs=LOGS, source=SOURCE, tags=TAGS, topic=topic))
        puts += 1
        read = [{name: log[name] for name in log if name not in time} for log in get_logs(sdk, topic, "*")]
        compare("web tracking", read, [flat(topic, log) for log in LOGS])
        listed = sdk.list_log_stores(PROJECT, models.ListLogStoresRequest(offset=0, size=10)).body
        compare("ListLogStores", listed.logstores, [LOGSTORE])
        compare("GetLogStore", sdk.get_log_store(PROJECT, LOGSTORE).body.logstore_name, LOGSTORE)
        compare("GetProject", sdk.get_project(PROJECT, models.GetProjectRequest()).body.project_name, PROJECT)
        compare("ListShards", len(sdk.list_shards(PROJECT, LOGSTORE).body), 1)
        cursor = sdk.get_cursor(PROJECT, LOGSTORE, "0", models.GetCursorRequest(from_="begin")).body.cursor
        compare("GetCursor", bool(cursor), True)
    version = importlib.metadata.version("alibabacloud-sls20201230")
    print(f"alibabacloud-sls20201230-{version}: {puts} puts read back by GetLogs and GetHistograms")


if __name__ == "__main__":
    main()
