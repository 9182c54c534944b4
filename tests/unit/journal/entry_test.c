/*
 * The chain: each entry names the one before it, and any change shows.
 */
#include "journal/journal.h"

#include "harness.h"

#include <string.h>

static struct arena arena;

enum { LINES = 4 };

/* Four entries, and the head after them. */
static struct journal_head write_lines(struct text lines[LINES])
{
    struct journal_head head = {0};
    for (size_t i = 0; i < LINES; i++) {
        struct buf out = {0};
        struct journal_entry entry = {
            .type = text_of("assay_plan"),
            .id = text_of(arena_printf(&arena, "entry-%zu", i)),
            .timestamp_ms = (int64_t)i,
            .vantage = text_of("here"),
            .members = text_of(i ? "\"n\":1" : "")};
        journal_line(&out, &entry, &head);
        lines[i] = text_of(arena_text(&arena, out.data, out.length));
        buf_free(&out);
    }
    return head;
}

static int defects_in(const struct text *lines, size_t count,
                      struct journal_head *head)
{
    int defects = 0;
    *head = (struct journal_head){0};
    for (size_t i = 0; i < count; i++) {
        struct journal_line line;
        REQUIRE_OK(journal_read(&arena, lines[i], &line));
        enum err err = journal_follow(head, lines[i], &line);
        CHECK(!err || err == ERR_FINDING);
        defects += err != ERR_NONE;
    }
    return defects;
}

TEST(entries_are_a_chain)
{
    struct text lines[LINES];
    struct journal_head written = write_lines(lines);
    struct journal_head followed;
    CHECK_EQ_INT(written.seq, LINES);
    CHECK_EQ_INT(defects_in(lines, LINES, &followed), 0);
    CHECK_EQ_INT(followed.seq, LINES);
    CHECK_EQ_MEMORY(followed.hash, written.hash, SHA256_BYTES);
    struct journal_line line;
    uint8_t hash[SHA256_BYTES];
    REQUIRE_OK(journal_read(&arena, lines[1], &line));
    hash_sha256(lines[0].data, lines[0].length, hash);
    CHECK_EQ_MEMORY(line.previous, hash, SHA256_BYTES);
    CHECK_EQ_INT(line.timestamp_ms, 1);
    CHECK(text_is(line.type, "assay_plan"));
    CHECK(text_is(line.id, "entry-1"));
    CHECK(text_is(line.vantage, "here"));
    arena_free(&arena);
}

TEST(a_chain_shows_every_change)
{
    struct text lines[LINES];
    struct journal_head head;
    write_lines(lines);
    struct text missing[] = {lines[0], lines[2], lines[3]};
    CHECK_EQ_INT(defects_in(missing, 3, &head), 1);
    CHECK_EQ_INT(defects_in(lines + 1, 3, &head), 1);
    struct text swapped[] = {lines[0], lines[2], lines[1], lines[3]};
    CHECK_EQ_INT(defects_in(swapped, 4, &head), 3);
    struct text twice[] = {lines[0], lines[1], lines[1], lines[2]};
    CHECK_EQ_INT(defects_in(twice, 4, &head), 1);
    char *changed = arena_text(&arena, lines[1].data, lines[1].length);
    *strstr(changed, "entry-1") = 'E';
    lines[1].data = changed;
    CHECK_EQ_INT(defects_in(lines, LINES, &head), 1);
    arena_free(&arena);
}
