/*
 * Sixty ways to write an address of this machine or this network: none leads
 * to a connection, whatever they resolve to.
 */
#include "asker.h"
#include "harness.h"
#include "peer.h"

#include <stdio.h>
#include <string.h>

enum { URL_BYTES = 200 };

/* Of this machine, of its network, of a cloud's metadata. PORT: the peer's. */
static const struct {
    const char *url;
} spellings[] = {
    {"http://127.0.0.1:PORT/"},
    {"https://127.0.0.1:PORT/"},
    {"HTTP://127.0.0.1:PORT/"},
    {"http://127.0.0.1:PORT"},
    {"http://127.0.0.1:PORT?x"},
    {"http://127.0.0.1.:PORT/"},
    {"http://127.1:PORT/"},
    {"http://127.0.1:PORT/"},
    {"http://127.000.000.001:PORT/"},
    {"http://00000177.0.0.1:PORT/"},
    {"http://0177.0.0.1:PORT/"},
    {"http://0177.0.0.01:PORT/"},
    {"http://0177.1:PORT/"},
    {"http://0x7f.0.0.1:PORT/"},
    {"http://0x7f.1:PORT/"},
    {"http://0x7F.0x0.0x0.0x1:PORT/"},
    {"http://0x7f000001:PORT/"},
    {"http://0x7F000001:PORT/"},
    {"http://017700000001:PORT/"},
    {"http://0000017700000001:PORT/"},
    {"http://2130706433:PORT/"},
    {"http://127.0x1:PORT/"},
    {"http://4294967295:PORT/"},
    {"http://127.0.0.2:PORT/"},
    {"http://127.255.255.254:PORT/"},
    {"http://0:PORT/"},
    {"http://0.0.0.0:PORT/"},
    {"http://0x0:PORT/"},
    {"http://%31%32%37.0.0.1:PORT/"},
    {"http://127%2e0%2e0%2e1:PORT/"},
    {"http://%30x7f.1:PORT/"},
    {"http://127.0.0.1%00.example.com:PORT/"},
    {"http://user@127.0.0.1:PORT/"},
    {"http://user:password@127.0.0.1:PORT/"},
    {"http://1.1.1.1@127.0.0.1:PORT/"},
    {"http://1.1.1.1:80@127.0.0.1:PORT/"},
    {"http://127.0.0.1:PORT#@1.1.1.1/"},
    {"http://127.0.0.1:PORT\\@1.1.1.1/"},
    {"http://localhost:PORT/"},
    {"http://LOCALHOST:PORT/"},
    {"http://localhost.:PORT/"},
    {"http://anything.localhost:PORT/"},
    {"http://[::1]:PORT/"},
    {"http://[0:0:0:0:0:0:0:1]:PORT/"},
    {"http://[::0001]:PORT/"},
    {"http://[::]:PORT/"},
    {"http://[::ffff:127.0.0.1]:PORT/"},
    {"http://[::FFFF:7F00:1]:PORT/"},
    {"http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/"},
    {"http://[::127.0.0.1]:PORT/"},
    {"http://[::ffff:0:127.0.0.1]:PORT/"},
    {"http://[64:ff9b::127.0.0.1]:PORT/"},
    {"http://[64:ff9b:1::7f00:1]:PORT/"},
    {"http://[2002:7f00:1::]:PORT/"},
    {"http://[2001:0:7f00:1::]:PORT/"},
    {"http://[fe80::1]:PORT/"},
    {"http://[fe80::1%25lo]:PORT/"},
    {"http://[fd00::1]:PORT/"},
    {"http://[ff02::1]:PORT/"},
    {"http://10.0.0.1:PORT/"},
    {"http://172.16.0.1:PORT/"},
    {"http://192.168.0.1:PORT/"},
    {"http://100.64.0.1:PORT/"},
    {"http://169.254.169.254:PORT/"},
    {"http://0xa9fea9fe:PORT/"},
    {"http://2852039166:PORT/"},
    {"http://①②⑦.⓪.⓪.①:PORT/"},
    {"http://127。0。0。1:PORT/"},
    {"http://127.0.0.1\t:PORT/"},
    {"http:127.0.0.1:PORT/"},
    {"http:////127.0.0.1:PORT/"},
    {"http://169.254.43518:PORT/"},
    {"http://[::ffff:a9fe:a9fe]:PORT/"},
    {"http://[fd00:ec2::254]:PORT/"},
};

static const char *with_port(const char *url, unsigned port)
{
    static char text[URL_BYTES];
    const char *place = strstr(url, "PORT");
    snprintf(text, sizeof text, "%.*s%u%s", (int)(place - url), url, port,
             place + 4);
    return text;
}

TEST(no_spelling_of_a_forbidden_address_is_connected_to)
{
    static struct peer peer = {.talk = peer_is_silent};
    struct asker asker = {.forbids_loopback = true};
    peer_start(&peer);
    asker_open(&asker);
    EACH_ROW (row, spellings) {
        asker.request = (struct http_request){
            .method = "GET", .url = with_port(row->url, peer.port)};
        enum http_outcome outcome = asker_ask(&asker)->outcome;
        CHECK(outcome == HTTP_ADDRESS_REFUSED || outcome == HTTP_URL_REFUSED ||
              outcome == HTTP_NOT_RESOLVED);
    }
    asker_close(&asker);
    peer_stop(&peer);
    CHECK_EQ_INT(peer.connections, 0);
}
