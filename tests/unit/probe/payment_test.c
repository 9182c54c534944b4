/*
 * Dialogues of a payer with orchestrator and signer, line by line: what it
 * asks, what it is told, what it does next, and that no ceiling is passed.
 */
#include "probe/payment.h"

#include "base/base64.h"
#include "harness.h"
#include "probe/identity.h"

#include <stdlib.h>
#include <string.h>

enum { SECOND = 1000000, TICKET_WEI = 100 };

static struct arena arena;

static const char key_1[] =
    "0000000000000000000000000000000000000000000000000000000000000001";
static const char key_1_identity[] =
    "{\"address\":\"0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf\","
    "\"signature\":\"0x2e05f5b96d0c24dde6256c43b4dd51d50979d8a650510a52b1317a95"
    "e9eda00d3d716748cd06e78360e29fdfe091e0c6c5a3d7ae1fb408d0b746ebdd9fa6382a1c"
    "\"}";

static struct text kept(struct buf *bytes)
{
    struct text text = {arena_text(&arena, bytes->data, bytes->length),
                        bytes->length};
    buf_free(bytes);
    return text;
}

static struct text base64(struct text bytes)
{
    struct buf coded = {0};
    base64_encode(&coded, bytes);
    return kept(&coded);
}

/* ---- what orchestrators say ---------------------------------------------- */

static const struct auth_token token = {{"\1\2\3", 3}, {"cafe", 4}, 1700000000};
static const char always[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                             "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
                             "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
/* Each of its tickets is worth TICKET_WEI. */
static const struct ticket_params tickets_of_100 = {
    .recipient = {"rrrrrrrrrrrrrrrrrrrr", 20},
    .face_value = {"\x64", 1},
    .win_prob = {always, 32}};
static const struct ticket_params tickets_of_0 = {
    .recipient = {"rrrrrrrrrrrrrrrrrrrr", 20}};

enum offer { OFF_CHAIN, FREE, PRICED, UNPRICED, NO_TOKEN, NO_TRANSCODER };

/* PRICED asks for 1 wei a second. */
static struct text info_of(enum offer offer)
{
    const struct price_info one = {1, LIVE_PIXELS_PER_SECOND, 0, {"", 0}};
    const struct price_info nothing = {0, 1, 0, {"", 0}};
    struct orchestrator_info info = {.transcoder = {"https://o:1", 11},
                                     .auth_token = &token};
    struct buf out = {0};
    if (offer != OFF_CHAIN) {
        info.address = (struct text){"oooooooooooooooooooo", 20};
        info.ticket_params = offer == FREE ? &tickets_of_0 : &tickets_of_100;
        info.price_info = offer == FREE ? &nothing : &one;
    }
    if (offer == UNPRICED)
        info.price_info = NULL;
    if (offer == NO_TOKEN)
        info.auth_token = NULL;
    if (offer == NO_TRANSCODER)
        info.transcoder = (struct text){"", 0};
    orchestrator_info_encode(&out, &info);
    return kept(&out);
}

/* ---- what signers say ---------------------------------------------------- */

static struct text signed_tickets(size_t count, const char *state)
{
    struct ticket_sender_params *tickets =
        arena_array(&arena, count, sizeof *tickets);
    const struct payment payment = {.ticket_params = &tickets_of_100,
                                    .sender = {"ssssssssssssssssssss", 20},
                                    .tickets = tickets,
                                    .ticket_count = count};
    const struct segment_data segment = {.auth_token = &token};
    struct text coded = payment_header(&arena, &payment);
    struct text credentials = segment_header(&arena, &segment);
    return text_of(arena_printf(
        &arena,
        "{\"payment\":\"%.*s\",\"segCreds\":\"%.*s\",\"state\":{\"State\":"
        "\"%s\",\"Sig\":\"c2ln\"}}",
        (int)coded.length, coded.data, (int)credentials.length,
        credentials.data, state));
}

/* ---- dialogues ----------------------------------------------------------- */

static struct payer *payer_with(bool signer, bool key, int64_t run_max_wei,
                                int64_t day_left_wei)
{
    static struct ethereum_key *our_key;
    if (!our_key)
        REQUIRE_OK(ethereum_key_parse(text_of(key_1), &our_key));
    const struct payer_settings settings = {.key = key ? our_key : NULL,
                                            .has_signer = signer,
                                            .run_max_wei = run_max_wei,
                                            .day_left_wei = day_left_wei};
    return payer_new(&settings);
}

static void end(struct payer *payer)
{
    payer_free(payer);
    arena_clear(&arena);
}

static void check_refused(const struct payer *payer, enum reason reason)
{
    REQUIRE(payer_step(payer) == PAYER_REFUSED);
    CHECK_EQ_TEXT(reason_entry(payer_reason(payer))->name,
                  reason_entry(reason)->name);
}

TEST(terms_decide_the_way)
{
    static const struct {
        bool signer;
        bool key;
        enum offer offer;
        enum payer_step step; /* after the terms */
        enum reason reason;
    } rows[] = {
        {false, false, OFF_CHAIN, PAYER_READY, REASON_NONE},
        {false, true, OFF_CHAIN, PAYER_READY, REASON_NONE},
        {true, false, OFF_CHAIN, PAYER_READY, REASON_NONE},
        {false, false, FREE, PAYER_REFUSED, REASON_PAYMENT_NOT_CONFIGURED},
        {false, true, FREE, PAYER_READY, REASON_NONE},
        {true, false, FREE, PAYER_REFUSED, REASON_PAYMENT_NOT_CONFIGURED},
        {true, true, FREE, PAYER_ASK, REASON_NONE}, /* again, as our key */
        {false, false, PRICED, PAYER_REFUSED, REASON_PAYMENT_NOT_CONFIGURED},
        {false, true, PRICED, PAYER_REFUSED, REASON_PAYMENT_NOT_CONFIGURED},
        {true, false, PRICED, PAYER_GENERATE, REASON_NONE},
        {true, true, PRICED, PAYER_GENERATE, REASON_NONE},
        {false, true, UNPRICED, PAYER_READY, REASON_NONE},
        {true, false, UNPRICED, PAYER_REFUSED, REASON_PAYMENT_NOT_CONFIGURED},
        {true, true, NO_TOKEN, PAYER_REFUSED, REASON_PROTOCOL_ERROR},
        {true, true, NO_TRANSCODER, PAYER_REFUSED, REASON_NO_TRANSCODER},
    };
    EACH_ROW (row, rows) {
        struct payer *payer = payer_with(row->signer, row->key, 1000, 1000);
        CHECK_EQ_INT(payer_step(payer), row->signer ? PAYER_SIGN : PAYER_ASK);
        if (row->signer)
            payer_signed(payer, 200, text_of(key_1_identity));
        REQUIRE(payer_step(payer) == PAYER_ASK);
        payer_terms(payer, info_of(row->offer));
        CHECK_EQ_INT(payer_step(payer), row->step);
        if (row->step == PAYER_REFUSED)
            check_refused(payer, row->reason);
        CHECK_EQ_INT(payer_spent_wei(payer), 0);
        end(payer);
    }
}

TEST(a_token_alone_is_given_where_no_money_is_taken)
{
    struct payer *payer = payer_with(false, false, 0, 0);
    struct orchestrator_request request;
    payer_identify(payer, &request);
    CHECK_EQ_INT(request.address.length + request.sig.length, 0);
    payer_terms(payer, info_of(OFF_CHAIN));
    struct payer_credentials credentials = payer_take(payer);
    CHECK_EQ_INT(credentials.payment.length, 0);
    CHECK(text_is(credentials.segment, "QhEKAwECAxIEY2FmZRiA4s+qBg=="));
    CHECK_EQ_INT(payer_price_wei(payer), ABSENT_INT);
    payer_started(payer, text_of("cafe0001"), 0);
    payer_tick(payer, 1000 * SECOND, 2000 * SECOND);
    CHECK_EQ_INT(payer_step(payer), PAYER_PAID);
    end(payer);
}

TEST(a_job_without_price_is_signed_by_our_key)
{
    struct ethereum_key *key;
    struct identity identity;
    REQUIRE_OK(ethereum_key_parse(text_of(key_1), &key));
    identity_of_key(key, &identity);
    const struct payer_settings settings = {.key = key, .identity = &identity};
    struct payer *payer = payer_new(&settings);
    struct payment payment;
    struct segment_data segment;
    uint8_t hash[KECCAK_BYTES];
    uint8_t signer[ETHEREUM_ADDRESS_BYTES];
    struct orchestrator_request request;
    payer_identify(payer, &request);
    payer_terms(payer, info_of(FREE));
    struct payer_credentials credentials = payer_take(payer);
    REQUIRE_OK(payment_header_read(&arena, credentials.payment, &payment));
    REQUIRE_OK(segment_header_read(&arena, credentials.segment, &segment));
    CHECK(text_equal(payment.sender, request.address));
    REQUIRE(payment.expected_price);
    CHECK_EQ_INT(payment.expected_price->pixels_per_unit, 1);
    CHECK(text_is(segment.manifest_id, "cafe"));
    segment_hash(&segment, hash);
    REQUIRE(ethereum_recover(hash, segment.sig, signer));
    CHECK_EQ_MEMORY(signer, request.address.data, sizeof signer);
    CHECK_EQ_INT(payer_spent_wei(payer), 0);
    ethereum_key_free(key);
    end(payer);
}

TEST(terms_are_asked_for_again_in_the_name_that_fits_them)
{
    struct payer *payer = payer_with(true, true, 0, 0);
    payer_signed(payer, 200, text_of(key_1_identity));
    payer_terms(payer, info_of(FREE));
    REQUIRE(payer_step(payer) == PAYER_ASK);
    payer_terms(payer, info_of(FREE));
    CHECK_EQ_INT(payer_step(payer), PAYER_READY);
    end(payer);
}

TEST(a_signer_must_prove_its_address)
{
    static const struct {
        int status;
        const char *body;
        bool good;
    } rows[] = {
        {200, key_1_identity, true},
        {500, key_1_identity, false},
        {0, "", false},
        {200, "{}", false},
        {200, "no JSON", false},
        {200, "{\"address\":\"0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf\"}",
         false},
        /* another address for the same signature */
        {200,
         "{\"address\":\"0x3baddb1eee2105893136a3f96c8a963e9c6309d6\","
         "\"signature\":\"0x2e05f5b96d0c24dde6256c43b4dd51d50979d8a650510a52b13"
         "17a95e9eda00d3d716748cd06e78360e29fdfe091e0c6c5a3d7ae1fb408d0b746ebdd"
         "9fa6382a1c\"}",
         false},
    };
    EACH_ROW (row, rows) {
        struct payer *payer = payer_with(true, false, 0, 0);
        CHECK(text_is(payer_body(payer), "{}"));
        payer_signed(payer, row->status, text_of(row->body));
        if (row->good)
            CHECK_EQ_INT(payer_step(payer), PAYER_ASK);
        else
            check_refused(payer, REASON_SIGNER_FAILED);
        end(payer);
    }
}

/* Up to where the signer is asked for the first payment. */
static struct payer *payer_asking(int64_t run_max_wei, int64_t day_left_wei)
{
    struct payer *payer = payer_with(true, false, run_max_wei, day_left_wei);
    payer_signed(payer, 200, text_of(key_1_identity));
    payer_terms(payer, info_of(PRICED));
    return payer;
}

TEST(a_payment_goes_its_way)
{
    struct payer *payer = payer_asking(1000, 1000);
    struct text info = base64(info_of(PRICED));
    CHECK(text_is(payer_body(payer),
                  arena_printf(&arena,
                               "{\"orchestrator\":\"%.*s\",\"type\":\"lv2v\"}",
                               (int)info.length, info.data)));
    CHECK_EQ_INT(payer_price_wei(payer), 1);
    payer_generated(payer, 200, signed_tickets(2, "Zmlyc3Q="));
    REQUIRE(payer_step(payer) == PAYER_READY);
    CHECK_EQ_INT(payer_spent_wei(payer), 0);
    CHECK(payer_take(payer).payment.length > 0);
    CHECK_EQ_INT(payer_spent_wei(payer), 2 * TICKET_WEI);
    payer_started(payer, text_of("cafe0001"), 0);
    CHECK_EQ_INT(payer_step(payer), PAYER_PAID);

    /* Nothing while much is covered; then the signer is asked with what it
     * said before. */
    payer_tick(payer, 19 * SECOND, 300 * (int64_t)SECOND);
    CHECK_EQ_INT(payer_step(payer), PAYER_PAID);
    payer_tick(payer, 21 * SECOND, 300 * (int64_t)SECOND);
    REQUIRE(payer_step(payer) == PAYER_GENERATE);
    struct text body = payer_body(payer);
    CHECK_EQ_TEXT(strstr(arena_text(&arena, body.data, body.length), ",\"type"),
                  ",\"type\":\"lv2v\",\"ManifestID\":\"cafe0001\",\"state\":{"
                  "\"State\":\"Zmlyc3Q=\",\"Sig\":\"c2ln\"}}");
    payer_generated(payer, 200, signed_tickets(1, "bmV4dA=="));
    REQUIRE(payer_step(payer) == PAYER_READY);
    (void)payer_take(payer);
    CHECK_EQ_INT(payer_spent_wei(payer), 3 * TICKET_WEI);
    payer_answered(payer, 200, text_of(""), 21 * SECOND);
    CHECK_EQ_INT(payer_step(payer), PAYER_PAID);
    payer_tick(payer, 40 * SECOND, 300 * (int64_t)SECOND);
    CHECK_EQ_INT(payer_step(payer), PAYER_PAID);
    payer_tick(payer, 42 * SECOND, 300 * (int64_t)SECOND);
    CHECK_EQ_INT(payer_step(payer), PAYER_GENERATE);
    end(payer);
}

TEST(a_short_job_is_paid_for_once)
{
    struct payer *payer = payer_asking(1000, 1000);
    payer_generated(payer, 200, signed_tickets(1, "cw=="));
    (void)payer_take(payer);
    payer_started(payer, text_of("m"), 0);
    for (int64_t s = 1; s < 55; s++)
        payer_tick(payer, s * SECOND, 55 * (int64_t)SECOND);
    CHECK_EQ_INT(payer_step(payer), PAYER_PAID);
    end(payer);
}

TEST(what_a_signer_answers_decides)
{
    static const struct {
        int status;
        const char *body;      /* null for one good ticket */
        enum payer_step first; /* before the job */
        enum payer_step later; /* while it runs */
        enum reason reason;
    } rows[] = {
        {200, NULL, PAYER_READY, PAYER_READY, REASON_NONE},
        {480, "{}", PAYER_ASK, PAYER_ASK, REASON_NONE},
        {481, "{}", PAYER_REFUSED, PAYER_REFUSED, REASON_PRICE_ABOVE_LIMIT},
        {482, "{}", PAYER_REFUSED, PAYER_PAID, REASON_SIGNER_FAILED},
        {400, "{}", PAYER_REFUSED, PAYER_PAID, REASON_SIGNER_FAILED},
        {401, "{}", PAYER_REFUSED, PAYER_PAID, REASON_SIGNER_FAILED},
        {500, "", PAYER_REFUSED, PAYER_PAID, REASON_SIGNER_FAILED},
        {0, "", PAYER_REFUSED, PAYER_PAID, REASON_SIGNER_FAILED},
        {200, "", PAYER_REFUSED, PAYER_PAID, REASON_SIGNER_FAILED},
        {200, "{\"payment\":\"\",\"segCreds\":\"\"}", PAYER_REFUSED, PAYER_PAID,
         REASON_SIGNER_FAILED},
        {200, "{\"payment\":\"a\\r\\nb\",\"segCreds\":\"\",\"state\":{}}",
         PAYER_REFUSED, PAYER_PAID, REASON_SIGNER_FAILED},
        {200, "{\"payment\":\"\",\"segCreds\":\"/w==\",\"state\":{}}",
         PAYER_REFUSED, PAYER_PAID, REASON_SIGNER_FAILED},
    };
    EACH_ROW (row, rows) {
        struct payer *payer = payer_asking(1000, 1000);
        struct text body =
            row->body ? text_of(row->body) : signed_tickets(1, "cw==");
        payer_generated(payer, row->status, body);
        CHECK_EQ_INT(payer_step(payer), row->first);
        if (row->first == PAYER_REFUSED)
            check_refused(payer, row->reason);
        end(payer);

        payer = payer_asking(1000, 1000);
        payer_generated(payer, 200, signed_tickets(1, "cw=="));
        (void)payer_take(payer);
        payer_started(payer, text_of("m"), 0);
        payer_tick(payer, 30 * SECOND, 300 * (int64_t)SECOND);
        REQUIRE(payer_step(payer) == PAYER_GENERATE);
        body = row->body ? text_of(row->body) : signed_tickets(1, "cw==");
        payer_generated(payer, row->status, body);
        CHECK_EQ_INT(payer_step(payer), row->later);
        if (row->later == PAYER_REFUSED)
            check_refused(payer, row->reason);
        end(payer);
    }
}

TEST(patience_ends)
{
    struct payer *payer = payer_asking(1000, 1000);
    for (int i = 0; i < 3; i++) {
        payer_generated(payer, 480, text_of(""));
        REQUIRE(payer_step(payer) == PAYER_ASK);
        payer_terms(payer, info_of(PRICED));
        REQUIRE(payer_step(payer) == PAYER_GENERATE);
    }
    payer_generated(payer, 480, text_of(""));
    check_refused(payer, REASON_SESSION_OUTDATED);
    end(payer);

    payer = payer_asking(1000, 1000);
    payer_generated(payer, 200, signed_tickets(1, "cw=="));
    (void)payer_take(payer);
    payer_started(payer, text_of("m"), 0);
    for (int64_t s = 30; s < 45; s += 5) {
        payer_tick(payer, s * SECOND, 300 * (int64_t)SECOND);
        REQUIRE(payer_step(payer) == PAYER_GENERATE);
        payer_generated(payer, 500, text_of(""));
    }
    check_refused(payer, REASON_SIGNER_FAILED);
    end(payer);
}

TEST(no_ceiling_is_passed)
{
    static const struct {
        int64_t run_max_wei;
        int64_t day_left_wei;
        size_t tickets;
        enum payer_step asked; /* is the signer asked at all? */
        enum payer_step step;
        enum reason reason;
    } rows[] = {
        {0, 1000, 1, PAYER_REFUSED, PAYER_REFUSED, REASON_WEI_CEILING_RUN},
        {1000, 0, 1, PAYER_REFUSED, PAYER_REFUSED, REASON_WEI_CEILING_DAY},
        {1000, -5, 1, PAYER_REFUSED, PAYER_REFUSED, REASON_WEI_CEILING_DAY},
        /* a minute at 1 wei a second */
        {59, 1000, 1, PAYER_REFUSED, PAYER_REFUSED, REASON_WEI_CEILING_RUN},
        {60, 1000, 1, PAYER_GENERATE, PAYER_REFUSED, REASON_WEI_CEILING_RUN},
        {99, 1000, 1, PAYER_GENERATE, PAYER_REFUSED, REASON_WEI_CEILING_RUN},
        {100, 1000, 1, PAYER_GENERATE, PAYER_READY, REASON_NONE},
        {1000, 199, 2, PAYER_GENERATE, PAYER_REFUSED, REASON_WEI_CEILING_DAY},
        {1000, 200, 2, PAYER_GENERATE, PAYER_READY, REASON_NONE},
    };
    EACH_ROW (row, rows) {
        struct payer *payer = payer_asking(row->run_max_wei, row->day_left_wei);
        CHECK_EQ_INT(payer_step(payer), row->asked);
        if (row->asked == PAYER_GENERATE)
            payer_generated(payer, 200, signed_tickets(row->tickets, "cw=="));
        CHECK_EQ_INT(payer_step(payer), row->step);
        if (row->step == PAYER_REFUSED)
            check_refused(payer, row->reason);
        CHECK_EQ_INT(payer_spent_wei(payer), 0);
        end(payer);
    }
}

TEST(a_ceiling_ends_a_running_job)
{
    struct payer *payer = payer_asking(150, 1000);
    payer_generated(payer, 200, signed_tickets(1, "cw=="));
    (void)payer_take(payer);
    payer_started(payer, text_of("m"), 0);
    payer_tick(payer, 30 * SECOND, 300 * (int64_t)SECOND);
    REQUIRE(payer_step(payer) == PAYER_GENERATE);
    payer_generated(payer, 200, signed_tickets(1, "cw=="));
    check_refused(payer, REASON_WEI_CEILING_RUN);
    CHECK_EQ_INT(payer_spent_wei(payer), TICKET_WEI);
    end(payer);
}

TEST(what_an_orchestrator_answers_to_more_money_decides)
{
    static const struct {
        int status;
        const char *body;
        enum payer_step step;
        enum reason reason;
    } rows[] = {
        {200, "", PAYER_PAID, REASON_NONE},
        {200, "\xff", PAYER_PAID, REASON_NONE}, /* the terms stay */
        {400, "TicketParams expired", PAYER_ASK, REASON_NONE},
        {400, "invalid ticket senderNonce: 1", PAYER_REFUSED,
         REASON_TICKET_REFUSED},
        {402, "", PAYER_REFUSED, REASON_PAYMENT_REFUSED},
        {403, "ErrSegSig", PAYER_REFUSED, REASON_CREDENTIALS_REFUSED},
        {0, "", PAYER_REFUSED, REASON_CONNECTION_LOST},
    };
    EACH_ROW (row, rows) {
        struct payer *payer = payer_asking(1000, 1000);
        payer_generated(payer, 200, signed_tickets(1, "cw=="));
        (void)payer_take(payer);
        payer_started(payer, text_of("m"), 0);
        payer_tick(payer, 30 * SECOND, 300 * (int64_t)SECOND);
        payer_generated(payer, 200, signed_tickets(1, "cw=="));
        (void)payer_take(payer);
        payer_answered(payer, row->status, text_of(row->body), 30 * SECOND);
        CHECK_EQ_INT(payer_step(payer), row->step);
        if (row->step == PAYER_REFUSED)
            check_refused(payer, row->reason);
        CHECK_EQ_INT(payer_spent_wei(payer), 2 * TICKET_WEI);
        end(payer);
    }
}

/* The next payment is made out to what the last answer said. */
TEST(new_terms_come_with_the_answer_to_a_payment)
{
    struct payer *payer = payer_asking(1000, 1000);
    struct ticket_params changed = tickets_of_100;
    changed.recipient = text_of("qqqqqqqqqqqqqqqqqqqq");
    const struct orchestrator_info info = {.ticket_params = &changed};
    struct buf encoded = {0};
    struct buf answer = {0};
    orchestrator_info_encode(&encoded, &info);
    struct payment_result result = {kept(&encoded)};
    payment_result_encode(&answer, &result);
    struct text fresh = base64(result.info);
    payer_generated(payer, 200, signed_tickets(1, "cw=="));
    (void)payer_take(payer);
    payer_started(payer, text_of("m"), 0);
    payer_tick(payer, 30 * SECOND, 300 * (int64_t)SECOND);
    payer_generated(payer, 200, signed_tickets(1, "cw=="));
    (void)payer_take(payer);
    payer_answered(payer, 200, kept(&answer), 30 * SECOND);
    payer_tick(payer, 60 * SECOND, 300 * (int64_t)SECOND);
    REQUIRE(payer_step(payer) == PAYER_GENERATE);
    struct text body = payer_body(payer);
    CHECK(strstr(arena_text(&arena, body.data, body.length),
                 arena_text(&arena, fresh.data, fresh.length)));
    end(payer);
}
