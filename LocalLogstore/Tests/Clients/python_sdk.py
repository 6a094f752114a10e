# SPDX-FileCopyrightText: the swift-log-webtracking authors
# SPDX-License-Identifier: Apache-2.0

"""aliyun-log-python-sdk: puts in both signatures and all compressions, and reads back in every way it has."""

from aliyun.log import GetHistogramsRequest, ListLogstoresRequest, LogClient, LogException, LogItem, PutLogsRequest
from aliyun.log.version import USER_AGENT

from shared import (FOUND, HOST, KEY, KEYS, LOGS, LOGSTORE, NANOSECONDS, NOW, PROJECT, QUERY, RANGE, REGION, SOURCE, TAGS,
                    compare, flat, without_pack_id)


def client(version):
    return LogClient(f"http://{HOST}", *KEY, auth_version=version, region=REGION)


def put(sdk, topic, compression, hash_key=None):
    items = [LogItem(NOW, contents=list(log.items()), time_nano_part=NANOSECONDS) for log in LOGS]
    request = PutLogsRequest(PROJECT, LOGSTORE, topic, SOURCE, items, hash_key, compression is not None, list(TAGS.items()))
    request.compress_type = compression
    sdk.put_logs(request)


def get_logs(sdk, topic, query, reverse=False, size=100, offset=0):
    answer = sdk.get_log(PROJECT, LOGSTORE, *RANGE, topic=topic, query=query, size=size, offset=offset, reverse=reverse)
    compare("complete", answer.is_completed(), True)
    compare("the count", answer.get_count(), len(answer.get_logs()))
    return [{"__source__": log.get_source(), **log.get_contents()} for log in answer.get_logs()], answer


def check_read(sdk, topic, has_time=True):
    """GetLogs in both forms, and GetHistograms."""
    time = {"__time_ns_part__": str(NANOSECONDS)} if has_time else {}
    everything = [{**flat(topic, log), **time} for log in LOGS]
    for is_second in (True, False):
        sdk._get_logs_v2_enabled = is_second
        logs, answer = get_logs(sdk, topic, "*")
        compare(f"{topic}: GetLogs", [without_pack_id(log) for log in logs], everything)
        compare("the time", {log.get_time() for log in answer.get_logs()}, {NOW})
        logs, _ = get_logs(sdk, topic, "*", reverse=True, size=2, offset=1)
        compare("newest first", [log["index"] for log in logs], ["1", "0"])
        logs, _ = get_logs(sdk, topic, QUERY)
        compare("a search", [int(log["index"]) for log in logs], FOUND)
    sdk._get_logs_v2_enabled = True
    answer = sdk.get_histograms(GetHistogramsRequest(PROJECT, LOGSTORE, *RANGE, topic, "level: error"))
    compare("complete", answer.is_completed(), True)
    compare("GetHistograms", answer.get_total_count(), 2)
    parts = [(part.get_from(), part.get_to()) for part in answer.get_histograms()]
    compare("its parts", (parts[0][0], parts[-1][1]), RANGE)
    compare("no gap", [end for _, end in parts[:-1]], [start for start, _ in parts[1:]])


def pull(sdk, topic, **options):
    logs = []
    for page in sdk.pull_log(PROJECT, LOGSTORE, 0, "begin", "end", 3, **options):
        compare("the groups", page.get_loggroup_count(), len(page.get_loggroup_list().LogGroups))
        for group in page.get_loggroup_list().LogGroups:
            if group.Topic == topic:
                tags = {f"__tag__:{tag.Key}": tag.Value for tag in group.LogTags}
                logs += [(log.Time, log.Time_ns, {"__topic__": group.Topic, "__source__": group.Source, **tags,
                                                  **{each.Key: each.Value for each in log.Contents}}) for log in group.Logs]
    return logs


def main():
    puts = 0
    for version in ("v1", "v4"):
        sdk = client(version)
        for compression in ("lz4", "zstd", None):
            topic = f"python-{version}-{compression or 'none'}"
            put(sdk, topic, compression)
            puts += 1
            check_read(sdk, topic)
            for options in ({}, {"accept_compress_type": "zstd"}, {"compress": False}):
                compare("PullLogs", pull(sdk, topic, **options), [(NOW, NANOSECONDS, flat(topic, log)) for log in LOGS])
        put(sdk, f"python-{version}-route", "lz4", KEYS)
        puts += 1
        check_read(sdk, f"python-{version}-route")
        compare("ListLogStores", sdk.list_logstore(PROJECT).get_logstores(), [LOGSTORE])
        compare("the old one", sdk.list_logstores(ListLogstoresRequest(PROJECT)).get_logstores(), [LOGSTORE])
        compare("GetLogstore", sdk.get_logstore(PROJECT, LOGSTORE).logstore_name, LOGSTORE)
        compare("GetProject", sdk.get_project(PROJECT).get_projectname(), PROJECT)
        compare("ListShards", sdk.list_shards(PROJECT, LOGSTORE).count, 1)
        for code, question in (("InvalidQueryString", "level: error | select 1"), ("ParameterInvalid", "session")):
            try:
                sdk.get_log(PROJECT, LOGSTORE, *RANGE, query=question, scan=question == "session")
                compare("an error", None, code)
            except LogException as error:
                compare("an error", error.get_error_code(), code)
        try:
            LogClient(f"http://{HOST}", KEY[0], "another", auth_version=version, region=REGION).get_project(PROJECT)
            compare("an error", None, "SignatureNotMatch")
        except LogException as error:
            compare("an error", error.get_error_code(), "SignatureNotMatch")
    print(f"{USER_AGENT.split(',')[0]}: {puts} puts read back by GetLogs (both forms), GetHistograms and PullLogs")


if __name__ == "__main__":
    main()
