/*
 * One selection at time 0 of the tables below and the snapshots around it.
 */
#include "rollup/capability_index.h"
#include "rollup/rollup.h"

#include "harness.h"

#include <string.h>

static struct arena arena;

#define T INT64_C(1767908945000)
#define MINUTE (60 * 1000)

/* Elements: all of orchestrator 0xa at https://u unless they say otherwise. */
#define ELEMENT(address, url, rest)                                            \
    "{\"address\":\"" address "\",\"uri\":\"" url "\"" rest "}"
#define HARDWARE(pipeline, model, gpus)                                        \
    ",\"hardware\":[{\"pipeline\":\"" pipeline "\",\"model_id\":\"" model      \
    "\",\"gpu_info\":[" gpus "]}]"
#define GPU(id) "{\"id\":\"" id "\"}"
#define ONE_GPU ELEMENT("0xa", "U", HARDWARE("P", "M", GPU("g1")))
#define NO_GPU ELEMENT("0xa", "U", HARDWARE("P", "M", ""))
#define ALIAS "0x00000000000000000000000000000000000000ab"

struct seen_snapshot {
    int64_t after_ms; /* relative to the selection */
    const char *elements;
};

struct seen_selection {
    const char *url;
    const char *address;
    const char *pipeline_hint;
    const char *model_hint;
};

static struct capability_snapshot snapshot_of(const struct seen_snapshot *seen,
                                              size_t number)
{
    struct capability_snapshot snapshot = {.ts = T + seen->after_ms};
    char *json = arena_printf(&arena, "[%s]", seen->elements);
    struct yyjson_val *data = json_parse(&arena, json, strlen(json));
    REQUIRE(data != NULL);
    snapshot.id = text_of(arena_printf(&arena, "snapshot-%zu", number));
    snapshot.elements = capability_read(&arena, data, &snapshot.element_count);
    return snapshot;
}

static struct selection_row selection_of(const struct seen_selection *seen)
{
    return (struct selection_row){
        .selection_ts = T,
        .observed_url = text_of(seen->url ? seen->url : ""),
        .observed_address = text_of(seen->address ? seen->address : ""),
        .pipeline_hint =
            text_of(seen->pipeline_hint ? seen->pipeline_hint : ""),
        .model_hint = text_of(seen->model_hint ? seen->model_hint : "")};
}

enum { MOST = 4 };

static struct selection_row decide(const struct seen_snapshot *snapshots,
                                   const struct seen_selection *selection,
                                   bool turned)
{
    struct capability_snapshot loaded[MOST];
    struct selection_row row = selection_of(selection);
    size_t count = 0;
    while (count < MOST && snapshots[count].elements)
        count++;
    for (size_t i = 0; i < count; i++) {
        size_t from = turned ? count - 1 - i : i;
        loaded[i] = snapshot_of(&snapshots[from], from);
    }
    struct capability_index *index = capability_index_build(
        &arena, &lens_published, text_of("o"), loaded, count, &row, 1);
    attribute(&arena, index, &row);
    capability_index_free(index);
    return row;
}

static const char *string(struct text text)
{
    return text.data ? arena_text(&arena, text.data, text.length) : "null";
}

/* "status reason method confidence address uri pipeline model gpu @after" */
static const char *told(const struct selection_row *row)
{
    char *chosen = "";
    if (row->attribution_snapshot_ts != ABSENT_INT)
        chosen = arena_printf(&arena, " @%lld",
                              (long long)(row->attribution_snapshot_ts - T));
    return arena_printf(
        &arena, "%s %s %s %s [%s %s %s %s %s]%s",
        string(row->attribution_status), string(row->attribution_reason),
        string(row->attribution_method), string(row->attribution_confidence),
        string(row->orchestrator_address), string(row->orchestrator_uri),
        string(row->pipeline_id), string(row->model_id), string(row->gpu_id),
        chosen);
}

struct decision_test {
    struct seen_snapshot snapshots[MOST];
    struct seen_selection selection;
    const char *wanted;
};

static void check_decision(const struct decision_test *test)
{
    for (int turned = 0; turned <= 1; turned++) {
        struct selection_row row =
            decide(test->snapshots, &test->selection, turned != 0);
        CHECK_EQ_TEXT(told(&row), test->wanted);
    }
}

#define BY_URL                                                                 \
    {                                                                          \
        "u", "0xa", "", ""                                                     \
    }
#define BY_ADDRESS                                                             \
    {                                                                          \
        "", "0xa", "", ""                                                      \
    }
#define CHOSEN " [0xa u P M g1]"
#define NOTHING " [   null null]"

TEST(freshness_decides_the_class)
{
    static const struct decision_test rows[] = {
        {{{0, ONE_GPU}},
         BY_URL,
         "resolved matched uri_interval_exact high" CHOSEN " @0"},
        {{{-1, ONE_GPU}},
         BY_URL,
         "resolved matched uri_interval_exact high" CHOSEN " @-1"},
        {{{-10 * MINUTE, ONE_GPU}},
         BY_URL,
         "resolved matched uri_interval_exact high" CHOSEN " @-600000"},
        {{{-10 * MINUTE - 1, ONE_GPU}},
         BY_URL,
         "stale stale_candidate uri_interval_stale medium" CHOSEN " @-600001"},
        {{{1, ONE_GPU}},
         BY_URL,
         "resolved future_skew uri_interval_future high" CHOSEN " @1"},
        {{{30000, ONE_GPU}},
         BY_URL,
         "resolved future_skew uri_interval_future high" CHOSEN " @30000"},
        {{{30001, ONE_GPU}},
         BY_URL,
         "unresolved missing_candidate missing low" NOTHING},
        {{{0, NULL}},
         BY_URL,
         "unresolved missing_candidate missing low" NOTHING},
        /* the same payload again: valid from its first sight */
        {{{-2000, ONE_GPU}, {-1000, ONE_GPU}, {0, ONE_GPU}},
         BY_URL,
         "resolved matched uri_interval_exact high" CHOSEN " @-2000"},
        {{{-11 * MINUTE, ONE_GPU}, {-MINUTE, ONE_GPU}},
         BY_URL,
         "stale stale_candidate uri_interval_stale medium" CHOSEN " @-660000"},
        /* a bucket at the very time excludes those around it */
        {{{-5, NO_GPU}, {0, ONE_GPU}, {5, NO_GPU}},
         BY_URL,
         "resolved matched uri_interval_exact high" CHOSEN " @0"},
        /* the previous is better than the next, the next than a stale one */
        {{{-5, ONE_GPU}, {5, NO_GPU}},
         BY_URL,
         "resolved matched uri_interval_exact high" CHOSEN " @-5"},
        {{{-11 * MINUTE, NO_GPU}, {5, ONE_GPU}},
         BY_URL,
         "resolved future_skew uri_interval_future high" CHOSEN " @5"},
        {{{-11 * MINUTE, ONE_GPU}, {30001, NO_GPU}},
         BY_URL,
         "stale stale_candidate uri_interval_stale medium" CHOSEN " @-660000"},
        /* of several earlier ones the newest, of later ones the first */
        {{{-9, NO_GPU}, {-7, ONE_GPU}, {7, NO_GPU}},
         BY_URL,
         "resolved matched uri_interval_exact high" CHOSEN " @-7"},
        {{{7, ONE_GPU}, {9, NO_GPU}},
         BY_URL,
         "resolved future_skew uri_interval_future high" CHOSEN " @7"},
    };
    EACH_ROW (test, rows) {
        check_decision(test);
    }
    arena_free(&arena);
}

TEST(prior_is_what_a_later_version_took_back)
{
    static const struct decision_test test = {
        {{-9, ELEMENT("0xa", "U",
                      ",\"local_address\":\"" ALIAS
                      "\"" HARDWARE("P", "M", GPU("g1")))},
         {-5, ONE_GPU}},
        {"", ALIAS, "", ""},
        "resolved matched_prior alias_interval_prior high" CHOSEN " @-9"};
    /* The later version is loaded only if something names it. */
    struct capability_snapshot loaded[2];
    struct selection_row rows[2] = {
        selection_of(&test.selection),
        selection_of(&(struct seen_selection){"u", "0xa", "", ""})};
    for (size_t i = 0; i < 2; i++)
        loaded[i] = snapshot_of(&test.snapshots[i], i);
    struct capability_index *index = capability_index_build(
        &arena, &lens_published, text_of("o"), loaded, 2, rows, 2);
    attribute(&arena, index, &rows[0]);
    CHECK_EQ_TEXT(told(&rows[0]), test.wanted);
    capability_index_free(index);
    index = capability_index_build(&arena, &lens_published, text_of("o"),
                                   loaded, 2, rows, 1);
    attribute(&arena, index, &rows[0]);
    CHECK_EQ_TEXT(told(&rows[0]),
                  "resolved matched alias_interval_exact high" CHOSEN " @-9");
    capability_index_free(index);
    arena_free(&arena);
}

TEST(identities_and_why_nothing_was_found)
{
    static const struct decision_test rows[] = {
        {{{0, ONE_GPU}},
         BY_ADDRESS,
         "resolved matched address_interval_exact high" CHOSEN " @0"},
        {{{0, ELEMENT("0xa", "U",
                      ",\"local_address\":\"" ALIAS
                      "\"" HARDWARE("P", "M", GPU("g1")))}},
         {"", ALIAS, "", ""},
         "resolved matched alias_interval_exact high" CHOSEN " @0"},
        /* the address before the alias */
        {{{0,
           ELEMENT("0xb", "V", ",\"local_address\":\"" ALIAS "\"") "," ELEMENT(
               ALIAS, "W", HARDWARE("P", "M", GPU("g1")))}},
         {"", ALIAS, "", ""},
         "resolved matched address_interval_exact high [" ALIAS
         " w P M g1] @0"},
        /* a URL is looked for as such and as nothing else */
        {{{0, ONE_GPU}},
         {"v", "0xa", "", ""},
         "unresolved missing_uri_snapshot_address_match_present missing "
         "low" NOTHING},
        {{{0, ELEMENT("0xa", "U", ",\"local_address\":\"" ALIAS "\"")}},
         {"v", ALIAS, "", ""},
         "unresolved missing_uri_snapshot_local_alias_present missing "
         "low" NOTHING},
        {{{0, ELEMENT(ALIAS, "U", "") "," ELEMENT(
                  "0xa", "U", ",\"local_address\":\"" ALIAS "\"")}},
         {"v", ALIAS, "", ""},
         "unresolved missing_uri_snapshot_local_alias_present missing "
         "low" NOTHING},
        {{{0, ONE_GPU}},
         {"v", "0xb", "", ""},
         "unresolved missing_candidate missing low" NOTHING},
        {{{0, ONE_GPU}},
         {"v", "", "", ""},
         "unresolved missing_candidate missing low" NOTHING},
        {{{0, ONE_GPU}},
         {"", "0xb", "", ""},
         "unresolved missing_candidate missing low" NOTHING},
        /* known under the URL, but out of reach */
        {{{30001, ONE_GPU}},
         BY_URL,
         "unresolved missing_candidate missing low" NOTHING},
        /* an element without a URL */
        {{{0, ELEMENT("0xa", "", HARDWARE("P", "M", GPU("g1")))}},
         BY_ADDRESS,
         "resolved matched address_interval_exact high [0xa  P M g1] @0"},
    };
    EACH_ROW (test, rows) {
        check_decision(test);
    }
    arena_free(&arena);
}

#define TWO_MODELS                                                             \
    ELEMENT("0xa", "U",                                                        \
            ",\"hardware\":[{\"pipeline\":\"P\",\"model_id\":\"M\","           \
            "\"gpu_info\":[" GPU(                                              \
                "g1") "]},{\"pipeline\":\"Q\","                                \
                      "\"model_id\":\"N\",\"gpu_info\":[" GPU("g2") "]}]")
#define AMBIGUOUS "ambiguous ambiguous_candidates ambiguous low" NOTHING

TEST(compatibility_narrows_and_several_surfaces_are_ambiguous)
{
    static const struct decision_test rows[] = {
        {{{0, TWO_MODELS}}, BY_URL, AMBIGUOUS},
        {{{0, TWO_MODELS}},
         {"u", "0xa", "p", ""},
         "resolved matched uri_interval_exact high" CHOSEN " @0"},
        {{{0, TWO_MODELS}},
         {"u", "0xa", "", "n"},
         "resolved matched uri_interval_exact high [0xa u Q N g2] @0"},
        /* nothing compatible: all stay */
        {{{0, TWO_MODELS}}, {"u", "0xa", "p", "n"}, AMBIGUOUS},
        {{{0, ONE_GPU}},
         {"u", "0xa", "other", "other"},
         "resolved matched uri_interval_exact high" CHOSEN " @0"},
        /* a hint is not met by a blank value */
        {{{0, ELEMENT("0xa", "U",
                      ",\"hardware\":[{\"pipeline\":\"P\",\"model_id\":\"M\","
                      "\"gpu_info\":[" GPU("g1") "]},{}]")}},
         {"u", "0xa", "p", ""},
         "resolved matched uri_interval_exact high" CHOSEN " @0"},
        /* freshness comes before compatibility */
        {{{-5, ONE_GPU},
          {0, ELEMENT("0xa", "U", HARDWARE("Q", "N", GPU("g2")))}},
         {"u", "0xa", "p", "m"},
         "resolved matched uri_interval_exact high [0xa u Q N g2] @0"},
        /* two addresses behind one URL */
        {{{0, ONE_GPU "," ELEMENT("0xb", "U", HARDWARE("P", "M", GPU("g1")))}},
         BY_URL,
         AMBIGUOUS},
        /* one address at two URLs */
        {{{0, ONE_GPU "," ELEMENT("0xa", "V", HARDWARE("P", "M", GPU("g1")))}},
         BY_ADDRESS,
         AMBIGUOUS},
        /* names are compared ignoring case */
        {{{0, ELEMENT("0xa", "U",
                      ",\"hardware\":[{\"pipeline\":\"P\",\"model_id\":\"M\","
                      "\"gpu_info\":[" GPU(
                          "g1") "]},{\"pipeline\":\"P\","
                                "\"model_id\":\"M\",\"gpu_info\":[" GPU(
                                    "g1") "]}]")}},
         BY_URL,
         "resolved matched uri_interval_exact high" CHOSEN " @0"},
        /* of one (address, URL) in one event the last element counts */
        {{{0, NO_GPU "," ONE_GPU}},
         BY_URL,
         "resolved matched uri_interval_exact high" CHOSEN " @0"},
        {{{0, ONE_GPU "," NO_GPU}},
         BY_URL,
         "hardware_less matched_without_hardware uri_interval_exact high "
         "[0xa u P M null] @0"},
    };
    EACH_ROW (test, rows) {
        check_decision(test);
    }
    arena_free(&arena);
}

TEST(which_gpu_is_named)
{
    static const struct decision_test rows[] = {
        /* several GPUs on a named surface: none */
        {{{0,
           ELEMENT("0xa", "U", HARDWARE("P", "M", GPU("g1") "," GPU("g2")))}},
         BY_URL,
         "resolved matched uri_interval_exact high [0xa u P M null] @0"},
        /* the same GPU twice is one */
        {{{0,
           ELEMENT("0xa", "U", HARDWARE("P", "M", GPU("g1") "," GPU("g1")))}},
         BY_URL,
         "resolved matched uri_interval_exact high" CHOSEN " @0"},
        {{{0, ELEMENT("0xa", "U", HARDWARE("P", "M", GPU("")))}},
         BY_URL,
         "resolved matched uri_interval_exact high [0xa u P M null] @0"},
        /* no hardware */
        {{{0, NO_GPU}},
         BY_URL,
         "hardware_less matched_without_hardware uri_interval_exact high "
         "[0xa u P M null] @0"},
        {{{-11 * MINUTE, NO_GPU}},
         BY_URL,
         "hardware_less matched_without_hardware uri_interval_stale high "
         "[0xa u P M null] @-660000"},
        {{{9, ELEMENT("0xa", "U", "")}},
         BY_URL,
         "hardware_less matched_without_hardware uri_interval_future high "
         "[0xa u  null null] @9"},
        {{{0, ELEMENT("0xa", "U", ",\"hardware\":5")}},
         BY_URL,
         "hardware_less matched_without_hardware uri_interval_exact high "
         "[0xa u  null null] @0"},
    };
    EACH_ROW (test, rows) {
        check_decision(test);
    }
    arena_free(&arena);
}

/* GPUs of a surface without a model: the interval of lowest hash decides, and
 * it is the same whatever order the GPUs are listed in. */
TEST(the_lowest_hash_decides_on_unnamed_surfaces)
{
    static const char *const rows[] = {
        ELEMENT("0xa", "U", HARDWARE("P", "", GPU("g1") "," GPU("g2"))),
        ELEMENT("0xa", "U", HARDWARE("P", "", GPU("g3") "," GPU("g4"))),
        ELEMENT("0xa", "U", HARDWARE("", "M", GPU("g5") "," GPU("g6"))),
    };
    EACH_ROW (element, rows) {
        const struct seen_snapshot snapshots[MOST] = {{0, *element}};
        const struct seen_selection selection = BY_URL;
        struct selection_row row = decide(snapshots, &selection, false);
        struct capability_snapshot loaded = snapshot_of(&snapshots[0], 0);
        const struct capability_element *one = &loaded.elements[0];
        char version[MD5_HEX_BYTES];
        char hashes[2][MD5_HEX_BYTES];
        struct text parts[] = {text_of("o"), one->address, one->uri, loaded.id,
                               text_of(one->payload)};
        hash_md5_joined(parts, 5, version);
        for (size_t i = 0; i < 2; i++) {
            struct text both[] = {text_of(version),
                                  text_of(one->intervals[i].suffix)};
            hash_md5_joined(both, 2, hashes[i]);
        }
        size_t lowest = strcmp(hashes[0], hashes[1]) < 0 ? 0 : 1;
        CHECK(text_equal(row.gpu_id, one->intervals[lowest].gpu_id));
        CHECK_EQ_TEXT(string(row.attribution_status), "resolved");
    }
    arena_free(&arena);
}

TEST(only_what_was_named_in_the_pass_is_loaded)
{
    static const struct seen_snapshot snapshots[] = {
        {-9, ELEMENT("0xa", "U", HARDWARE("P", "M", GPU("g1")))},
        {-8, ELEMENT("0xa", "V", HARDWARE("P", "N", GPU("g2")))},
        {-7, ELEMENT("0xc", "W", "")}};
    struct capability_snapshot loaded[3];
    struct selection_row rows[2] = {
        selection_of(&(struct seen_selection){"u", "0xz", "", ""}),
        selection_of(&(struct seen_selection){"", "0xa", "", ""})};
    for (size_t i = 0; i < 3; i++)
        loaded[i] = snapshot_of(&snapshots[i], i);
    for (size_t named = 0; named <= 2; named++) {
        struct capability_index *index = capability_index_build(
            &arena, &lens_published, text_of("o"), loaded, 3, rows, named);
        CHECK_EQ_INT(index->version_count, named);
        CHECK(!capability_first(index, IDENTITY_URI, text_of("w")));
        CHECK_EQ_INT(capability_first(index, IDENTITY_URI, text_of("v")) != 0,
                     named == 2);
        capability_index_free(index);
    }
    arena_free(&arena);
}

TEST(versions_chain_by_address_and_url)
{
    static const struct seen_snapshot snapshots[] = {
        {0, ONE_GPU "," ELEMENT("0xa", "V", "")},
        {1, ONE_GPU},
        {2, NO_GPU},
        {3, ONE_GPU "," ELEMENT("0xa", "V", "")}};
    struct capability_snapshot loaded[4];
    struct selection_row row =
        selection_of(&(struct seen_selection){"", "0xa", "", ""});
    for (size_t i = 0; i < 4; i++)
        loaded[3 - i] = snapshot_of(&snapshots[i], i);
    struct capability_index *index = capability_index_build(
        &arena, &lens_published, text_of("o"), loaded, 4, &row, 1);
    static const int64_t wanted[][2] = {
        {0, 2}, {2, 3}, {3, INT64_MAX - T}, {0, INT64_MAX - T}};
    REQUIRE(index->version_count == 4);
    for (size_t i = 0; i < 4; i++) {
        CHECK_EQ_INT(index->versions[i].valid_from - T, wanted[i][0]);
        CHECK_EQ_INT(index->versions[i].valid_to - T, wanted[i][1]);
    }
    capability_index_free(index);
    arena_free(&arena);
}
