/*
 * Which addresses are connected to, in every disguise that is known.
 */
#include "wire/wire.h"

#include "harness.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* The address that TEXT stands for. */
static struct sockaddr_storage socket_address(const char *text)
{
    struct sockaddr_storage address = {.ss_family = AF_INET};
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
        memcpy(&address, &four, sizeof four);
    } else {
        test_require(inet_pton(AF_INET6, text, &six.sin6_addr) == 1, __FILE__,
                     __LINE__, text);
        memcpy(&address, &six, sizeof six);
    }
    return address;
}

static const char *judge(const struct address_policy *policy, const char *text)
{
    struct sockaddr_storage address = socket_address(text);
    return address_refusal(policy, (const struct sockaddr *)&address);
}

TEST(only_the_public_internet_passes)
{
    static const struct {
        const char *address;
        bool passes;
    } rows[] = {
        {"1.1.1.1", true},
        {"8.8.8.8", true},
        {"9.255.255.255", true},
        {"11.0.0.0", true},
        {"100.63.255.255", true},
        {"100.128.0.0", true},
        {"126.255.255.255", true},
        {"128.0.0.1", true},
        {"169.253.255.255", true},
        {"172.15.255.255", true},
        {"172.32.0.0", true},
        {"192.167.255.255", true},
        {"192.169.0.0", true},
        {"223.255.255.255", true},
        {"2606:4700:4700::1111", true},
        {"2001:4860:4860::8888", true},
        {"::ffff:8.8.8.8", true},
        {"64:ff9b::8.8.8.8", true},
        {"2002:808:808::1", true},
        {"0.0.0.0", false},
        {"0.1.2.3", false},
        {"10.0.0.1", false},
        {"10.255.255.255", false},
        {"100.64.0.1", false},
        {"100.100.100.200", false}, /* a cloud's metadata */
        {"100.127.255.255", false},
        {"127.0.0.1", false},
        {"127.255.255.254", false},
        {"169.254.169.254", false}, /* most clouds' metadata */
        {"172.16.0.1", false},
        {"172.31.255.255", false},
        {"192.0.0.192", false}, /* another cloud's metadata */
        {"192.0.2.1", false},
        {"192.88.99.1", false},
        {"192.168.1.1", false},
        {"198.18.0.1", false},
        {"198.19.255.255", false},
        {"198.51.100.1", false},
        {"203.0.113.1", false},
        {"224.0.0.1", false},
        {"239.255.255.250", false},
        {"240.0.0.1", false},
        {"255.255.255.255", false},
        {"::", false},
        {"::1", false},
        {"::127.0.0.1", false},
        {"::8.8.8.8", false},
        {"::ffff:127.0.0.1", false},
        {"::ffff:10.0.0.1", false},
        {"::ffff:a9fe:a9fe", false},
        {"::ffff:0:127.0.0.1", false},
        {"64:ff9b::127.0.0.1", false},
        {"64:ff9b::169.254.169.254", false},
        {"64:ff9b:1::8.8.8.8", false},
        {"100::1", false},
        {"2001::1", false},                         /* Teredo through 0.0.0.0 */
        {"2001:0:808:808:0:ffff:80ff:fffe", false}, /* client 127.0.0.1 */
        {"2001:2::1", false},
        {"2001:10::1", false},
        {"2001:20::1", false},
        {"2001:db8::1", false},
        {"2001:4860::5efe:10.0.0.1", false},
        {"2001:4860::200:5efe:127.0.0.1", false},
        {"2002:7f00:1::1", false},
        {"2002:a00:1::", false},
        {"2002:c0a8:101::1", false},
        {"3fff::1", false},
        {"4000::1", false},
        {"5f00::1", false},
        {"fc00::1", false},
        {"fd00:ec2::254", false}, /* a cloud's metadata over IPv6 */
        {"fe80::1", false},
        {"febf::1", false},
        {"fec0::1", false},
        {"ff02::1", false},
    };
    const struct address_policy policy = {0};
    EACH_ROW (row, rows) {
        CHECK_EQ_INT(judge(&policy, row->address) == NULL, row->passes);
    }
}

TEST(other_families_are_refused)
{
    const struct address_policy policy = {0};
    struct sockaddr_storage address = {.ss_family = AF_UNIX};
    char text[ADDRESS_TEXT_BYTES];
    CHECK(address_refusal(&policy, (const struct sockaddr *)&address) != NULL);
    CHECK_EQ_TEXT(address_text((const struct sockaddr *)&address, text), "?");
}

TEST(ranges_are_allowed_one_by_one)
{
    struct address_policy policy = {0};
    REQUIRE_OK(address_allow(&policy, "127.0.0.0/8"));
    REQUIRE_OK(address_allow(&policy, "10.1.0.0/23"));
    REQUIRE_OK(address_allow(&policy, "fd00::/9"));
    REQUIRE_OK(address_allow(&policy, "192.168.0.7"));
    static const struct {
        const char *address;
        bool passes;
    } rows[] = {
        {"127.0.0.1", true},       {"::ffff:127.0.0.1", true},
        {"::127.0.0.1", false},    {"64:ff9b::127.0.0.1", false},
        {"2002:7f00:1::1", false}, {"10.1.0.1", true},
        {"10.1.1.255", true},      {"10.1.2.0", false},
        {"fd7f::1", true},         {"fd80::1", false},
        {"192.168.0.7", true},     {"192.168.0.6", false},
        {"8.8.8.8", true},         {"::1", false},
    };
    EACH_ROW (row, rows) {
        CHECK_EQ_INT(judge(&policy, row->address) == NULL, row->passes);
    }
}

TEST(everything_can_be_allowed)
{
    struct address_policy policy = {0};
    REQUIRE_OK(address_allow(&policy, "0.0.0.0/0"));
    CHECK(!judge(&policy, "255.255.255.255"));
    CHECK(judge(&policy, "::1") != NULL);
    REQUIRE_OK(address_allow(&policy, "::/0"));
    CHECK(!judge(&policy, "::1"));
}

TEST(ranges_that_make_no_sense_are_refused)
{
    static const struct {
        const char *text;
    } rows[] = {{""},
                {"/"},
                {"10.0.0.0/"},
                {"10.0.0.0/33"},
                {"10.0.0.0/-1"},
                {"10.0.0.0/08x"},
                {"10.0.0.1/8"},
                {"10.0.0/8"},
                {"localhost"},
                {"0x7f.1"},
                {"::/129"},
                {"fd00::1/8"},
                {"fe80::1%lo"},
                {"10.0.0.0/4294967304"},
                {" 10.0.0.0/8"}};
    struct address_policy policy = {0};
    EACH_ROW (row, rows) {
        CHECK_ERR(address_allow(&policy, row->text), ERR_CONFIG);
    }
    for (int i = 0; i < ADDRESS_RANGES_MAX; i++)
        CHECK_OK(address_allow(&policy, "10.0.0.0/8"));
    CHECK_ERR(address_allow(&policy, "10.0.0.0/8"), ERR_CONFIG);
}

TEST(addresses_are_written)
{
    static const struct {
        const char *address;
    } rows[] = {{"127.0.0.1"}, {"2001:db8::1"}};
    EACH_ROW (row, rows) {
        char text[ADDRESS_TEXT_BYTES];
        struct sockaddr_storage address = socket_address(row->address);
        CHECK_EQ_TEXT(address_text((const struct sockaddr *)&address, text),
                      row->address);
    }
}
