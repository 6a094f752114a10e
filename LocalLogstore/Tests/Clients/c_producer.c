// SPDX-FileCopyrightText: the swift-log-webtracking authors
// SPDX-License-Identifier: Apache-2.0

// aliyun-log-c-sdk, by hand: puts in both signatures and all compressions, or with PERSISTENT what that branch has. In a
// checkout of its branch `master` (f493278), and of `persistent` (51feee6), with libcurl and openssl:
//
//   cc -w -DLOG_FEATURE_ZSTD_COMPRESS -Isrc c_producer.c src/*.c -o put -lcurl -lcrypto -lpthread
//   cc -w -DPERSISTENT -Isrc c_producer.c src/*.c src/curl_adapter/*.c -o put -lcurl -lpthread
//   http_proxy=http://127.0.0.1:8080 ./put
//
// What has arrived, `read_back.py` reads back: of these topics.

#include "log_api.h"
#include "log_producer_client.h"
#include "log_producer_config.h"
#include <stdio.h>

#ifdef PERSISTENT
void log_set_http_use_curl(void);
#define INIT() (log_set_http_use_curl(), log_producer_env_init())
#define CREATE(config) create_log_producer(config, done, NULL)
#define LAST , void *user
#else
#define INIT() log_producer_env_init(LOG_GLOBAL_ALL)
#define CREATE(config) create_log_producer(config, done)
#define LAST
#endif

static int failed;

static void done(const char *config, log_producer_result result, size_t bytes, size_t compressed, const char *request,
                 const char *message, const unsigned char *raw LAST) {
    if (result == LOG_PRODUCER_OK) return;
    failed++;
    fprintf(stderr, "%d %s\n", result, message ? message : "");
}

// compression: 0 none, 1 lz4, 2 zstd
static void put(const char *topic, int compression, int is_second) {
    log_producer_config *config = create_log_producer_config();
    log_producer_config_set_endpoint(config, "http://cn-hangzhou.log.aliyuncs.com");
    log_producer_config_set_project(config, "local");
    log_producer_config_set_logstore(config, "app");
    log_producer_config_set_access_id(config, "an-id");
    log_producer_config_set_access_key(config, "a-secret");
    log_producer_config_set_topic(config, topic);
    log_producer_config_set_compress_type(config, compression);
    log_producer_config_set_send_thread_count(config, 1);
    log_producer_config_set_destroy_flusher_wait_sec(config, 5);
    log_producer_config_set_destroy_sender_wait_sec(config, 5);
#ifdef PERSISTENT
    log_producer_config_set_use_webtracking(config, is_second);
#else
    if (is_second) {
        log_producer_config_set_auth_version(config, AUTH_VERSION_4);
        log_producer_config_set_region(config, "cn-hangzhou");
    }
#endif
    log_producer_config_set_source(config, "web-1");
    log_producer *producer = CREATE(config);
    log_producer_client *client = get_log_producer_client(producer, NULL);
    log_producer_client_add_log(client, 6, "message", "order placed", "level", "info", "index", "0");
    log_producer_client_add_log(client, 6, "message",
                                "gr\xc3\xb6\xc3\x9f" "e \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80 \"quoted\" \\ \n\ttab",
                                "level", "error", "index", "1");
    log_producer_client_add_log(client, 8, "message", "a b+c&d=e%20", "level", "error", "index", "2", "empty", "");
    destroy_log_producer(producer);
}

int main(void) {
    if (INIT() != LOG_PRODUCER_OK) return 1;
#ifdef PERSISTENT
    put("c-persistent-lz4", 1, 0);
    put("c-persistent-none", 0, 0);
    put("c-persistent-track", 1, 1);
#else
    put("c-v1-lz4", 1, 0);
    put("c-v1-none", 0, 0);
    put("c-v1-zstd", 2, 0);
    put("c-v4-lz4", 1, 1);
#endif
    log_producer_env_destroy();
    return failed != 0;
}
