/*
 * scorecard.c: reading scorecards and applying them, see scorecard.h.
 */
#include "rollup/scorecard.h"

#include "base/index.h"
#include "rollup/rollup.h"
#include "rollup/run_group.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* What formulas may name: columns, cohorts, then values. */
enum { NAMES_MAX = 128 + SCORE_COHORTS_MAX + SCORE_VALUES_MAX };

struct fields score_source_fields(enum score_source source)
{
    return source == SCORE_SLA ? sla_fields : run_group_fields;
}

static bool is_numeric(const struct field *field)
{
    return field->kind == FIELD_INT || field->kind == FIELD_DOUBLE;
}

/* ---- reading ------------------------------------------------------------- */

/* What one section of the file says, before its formulas are compiled. */
struct card_text {
    const char *score;
    const char *low;
    const char *high;
};

struct part_text {
    const char *name;
    const char *formula;
    const char *where;
    int statistic;
};

#define CARD(name, of_type, member, usual, words)                              \
    {                                                                          \
        .path = name, .type = of_type, .offset = member, .standard = usual,    \
        .help = words                                                          \
    }

static const struct config_key card_options[] = {
    CARD("name", CONFIG_TEXT, offsetof(struct scorecard, name), "",
         "What it is called beside its scores."),
    {.path = "version",
     .type = CONFIG_INT,
     .offset = offsetof(struct scorecard, version),
     .standard = "1",
     .least = 1,
     .most = 1000000,
     .help = "Counts up whenever the file changes."},
    CARD("about", CONFIG_TEXT, offsetof(struct scorecard, about), "",
         "Whose score it is, and where it is defined."),
    {.path = "source",
     .type = CONFIG_CHOICE,
     .offset = offsetof(struct scorecard, source),
     .standard = "sla",
     .choices = "sla|runs",
     .help = "Hours of the lens, or own runs put together."},
    {.path = "split",
     .type = CONFIG_CHOICE,
     .offset = offsetof(struct scorecard, split),
     .standard = "gpu",
     .choices = "gpu|orchestrator",
     .help =
         "Of runs, what gets a row: an orchestrator's GPU by workflow, cold "
         "and warm apart; or an orchestrator by pipeline and model."},
};
static const struct config_key result_options[] = {
    CARD("score", CONFIG_TEXT, offsetof(struct card_text, score), "score",
         "The value that is the score."),
    CARD("low", CONFIG_TEXT, offsetof(struct card_text, low), "",
         "The value that is the lower end of its interval."),
    CARD("high", CONFIG_TEXT, offsetof(struct card_text, high), "",
         "The value that is the upper end."),
};
static const char *const card_others[] = {"cohorts", "values", "result", NULL};
static const struct config_table card_table = {
    "scorecard", card_options, COUNT_OF(card_options), card_others,
    "a scorecard has name, version, about, source, split, cohorts, values, "
    "result; `assay metrics scorecard NAME` prints one"};
static const struct config_table result_table = {
    "result", result_options, COUNT_OF(result_options), NULL,
    "a result has score, low and high"};

static const struct config_key value_options[] = {
    CARD("name", CONFIG_TEXT, offsetof(struct part_text, name), "",
         "What later formulas and exports call it."),
    CARD("formula", CONFIG_TEXT, offsetof(struct part_text, formula), "",
         "How it is computed."),
};
static const struct config_table value_table = {"value", value_options,
                                                COUNT_OF(value_options), NULL,
                                                "a value has name and formula"};

static const struct config_key cohort_options[] = {
    CARD("name", CONFIG_TEXT, offsetof(struct part_text, name), "",
         "What formulas call it."),
    CARD("of", CONFIG_TEXT, offsetof(struct part_text, formula), "",
         "What is looked at in every row."),
    CARD("where", CONFIG_TEXT, offsetof(struct part_text, where), "",
         "Which rows count; all, unless set."),
    {.path = "statistic",
     .type = CONFIG_CHOICE,
     .offset = offsetof(struct part_text, statistic),
     .standard = "median",
     .choices = "median|mean|min|max|count|p10|p90",
     .help = "What is made of it."},
};
static const char *const cohort_others[] = {"by", NULL};
static const struct config_table cohort_table = {
    "cohort", cohort_options, COUNT_OF(cohort_options), cohort_others,
    "a cohort has name, of, where, statistic and by"};

struct reading {
    struct config_document *file;
    struct scorecard *card;
    struct fields fields;
    const char *names[NAMES_MAX];
    size_t name_count;
    size_t columns; /* of them, names of columns */
};

static void compile(struct reading *reading, size_t line, const char *text,
                    size_t name_count, struct formula *formula)
{
    if (formula_compile(reading->file->arena, text_of(text), reading->names,
                        name_count, formula))
        config_document_complain(reading->file, line, "\"%.100s\": %s", text,
                                 err_message());
}

static void add_name(struct reading *reading, const struct config_node *node,
                     const char *name)
{
    for (size_t i = 0; i < reading->name_count; i++) {
        if (!strcmp(reading->names[i], name)) {
            config_document_complain(reading->file, node->line,
                                     "there is a %.60s already", name);
            return;
        }
    }
    if (!*name || strlen(name) >= FORMULA_NAME_MAX_BYTES)
        config_document_complain(reading->file, node->line,
                                 "a name of 1 to %d letters is needed",
                                 FORMULA_NAME_MAX_BYTES - 1);
    reading->names[reading->name_count++] = name;
}

static void read_keys(struct reading *reading, const struct config_node *by,
                      struct score_cohort *cohort)
{
    for (const struct config_node *at = by ? by->members : NULL; at;
         at = at->next) {
        const struct field *found =
            fields_named(reading->fields, reading->fields.exported, at->text);
        if (!found || is_numeric(found) || cohort->by_count == SCORE_KEYS_MAX) {
            config_document_complain(
                reading->file, at->line,
                "%.60s: by takes at most %d columns that are no numbers",
                at->text, SCORE_KEYS_MAX);
            return;
        }
        cohort->by[cohort->by_count++] = found;
    }
}

static void read_cohort(struct reading *reading, const struct config_node *node)
{
    struct scorecard *card = reading->card;
    struct part_text text;
    struct score_cohort *cohort = &card->cohorts[card->cohort_count++];
    config_table_defaults(reading->file->arena, &cohort_table, &text);
    config_table_read(reading->file, node, &cohort_table, &text);
    *cohort =
        (struct score_cohort){.name = text.name, .statistic = text.statistic};
    compile(reading, node->line, text.formula, reading->columns, &cohort->of);
    if (*text.where)
        compile(reading, node->line, text.where, reading->columns,
                &cohort->where);
    read_keys(reading, config_node_member(node, "by"), cohort);
    add_name(reading, node, text.name);
}

static void read_value(struct reading *reading, const struct config_node *node)
{
    struct scorecard *card = reading->card;
    struct part_text text;
    struct score_value *value = &card->values[card->value_count++];
    config_table_defaults(reading->file->arena, &value_table, &text);
    config_table_read(reading->file, node, &value_table, &text);
    value->name = text.name;
    compile(reading, node->line, text.formula, reading->name_count,
            &value->formula);
    add_name(reading, node, text.name);
}

static void read_list(struct reading *reading, const char *what, size_t most,
                      void (*read)(struct reading *reading,
                                   const struct config_node *node))
{
    const struct config_node *list =
        config_node_member(reading->file->root, what);
    size_t count = 0;
    for (const struct config_node *at = list ? list->members : NULL; at;
         at = at->next) {
        if (at->kind != CONFIG_NODE_MAP || count++ == most) {
            config_document_complain(reading->file, at->line,
                                     "%s is a list of at most %zu sections",
                                     what, most);
            return;
        }
        read(reading, at);
    }
}

static size_t value_named(struct reading *reading, const char *name)
{
    for (size_t i = 0; i < reading->card->value_count; i++)
        if (!strcmp(reading->card->values[i].name, name))
            return i;
    config_document_complain(reading->file, 1,
                             "result: there is no value %.60s", name);
    return 0;
}

static void read_result(struct reading *reading)
{
    struct config_document *file = reading->file;
    struct card_text text;
    config_table_defaults(file->arena, &result_table, &text);
    config_table_read(file, config_node_member(file->root, "result"),
                      &result_table, &text);
    reading->card->score = value_named(reading, text.score);
    reading->card->low =
        value_named(reading, *text.low ? text.low : text.score);
    reading->card->high =
        value_named(reading, *text.high ? text.high : text.score);
}

bool scorecard_read(struct config_document *file, const char *bytes,
                    size_t length, struct scorecard *card)
{
    struct reading reading = {.file = file, .card = card};
    uint8_t hash[SHA256_BYTES];
    *card = (struct scorecard){.name = ""};
    config_table_defaults(file->arena, &card_table, card);
    config_document_read(file, file->name, bytes, length);
    config_table_read(file, file->root, &card_table, card);
    reading.fields = score_source_fields((enum score_source)card->source);
    for (size_t i = 0; i < reading.fields.exported; i++)
        if (is_numeric(&reading.fields.list[i]))
            reading.names[reading.name_count++] = reading.fields.list[i].name;
    reading.columns = reading.name_count;
    read_list(&reading, "cohorts", SCORE_COHORTS_MAX, read_cohort);
    read_list(&reading, "values", SCORE_VALUES_MAX, read_value);
    read_result(&reading);
    if (!*card->name)
        config_document_complain(file, 1, "name is missing");
    hash_sha256(bytes, length, hash);
    hash_hex(hash, sizeof hash, card->sha256);
    return !file->problems->count;
}

/* ---- applying ------------------------------------------------------------ */

/* Columns of one row, then room for cohorts and values. */
static size_t fill_columns(struct fields fields, const void *row,
                           double *values)
{
    size_t count = 0;
    for (size_t i = 0; i < fields.exported; i++) {
        const struct field *field = &fields.list[i];
        if (!is_numeric(field))
            continue;
        if (field->kind == FIELD_DOUBLE)
            values[count++] = field_double(field, row);
        else
            values[count++] = field_is_absent(field, row)
                                  ? (double)NAN
                                  : (double)field_int(field, row);
    }
    return count;
}

static size_t group_key(struct text_index *groups,
                        const struct score_cohort *cohort, const void *row)
{
    struct buf key = {0};
    for (size_t i = 0; i < cohort->by_count; i++) {
        const struct field *field = cohort->by[i];
        if (field_holds_text(field))
            buf_add_text(&key, field_text(field, row));
        else
            buf_add_signed(&key, field_int(field, row));
    }
    size_t number =
        text_index_add(groups, (struct text){key.data, key.length}, NULL);
    buf_free(&key);
    return number;
}

static int compare_doubles(const void *left, const void *right)
{
    const double *a = left;
    const double *b = right;
    return (*a > *b) - (*a < *b);
}

static double nearest_rank(const double *sorted, size_t count, double level)
{
    size_t rank = (size_t)ceil(level * (double)count);
    return sorted[rank ? rank - 1 : 0];
}

static double mean_of(struct arena *arena, const double *values, size_t count)
{
    struct exact_sum sum = {.arena = arena};
    for (size_t i = 0; i < count; i++)
        exact_add(&sum, values[i]);
    return exact_round(&sum) / (double)count;
}

/* Of SORTED, which is not empty. */
static double statistic_of(struct arena *arena, enum score_statistic statistic,
                           const double *sorted, size_t count)
{
    switch (statistic) {
    case STATISTIC_MEDIAN:
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2;
    case STATISTIC_MEAN:
        return mean_of(arena, sorted, count);
    case STATISTIC_MIN:
        return sorted[0];
    case STATISTIC_MAX:
        return sorted[count - 1];
    case STATISTIC_P10:
        return nearest_rank(sorted, count, 0.1);
    case STATISTIC_P90:
        return nearest_rank(sorted, count, 0.9);
    case STATISTIC_COUNT:
        break;
    }
    return (double)count;
}

struct cohort_row {
    size_t group;
    double value; /* NaN: does not count */
};

static int compare_rows(const void *left, const void *right)
{
    const struct cohort_row *a = left;
    const struct cohort_row *b = right;
    if (a->group != b->group)
        return a->group < b->group ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

/* What each group's statistic is; groups without a value have none. */
static double *group_statistics(struct arena *arena,
                                const struct score_cohort *cohort,
                                struct cohort_row *rows, size_t count,
                                size_t group_count)
{
    bool counts = cohort->statistic == STATISTIC_COUNT;
    double *results = arena_array(arena, group_count, sizeof *results);
    double *values = arena_array(arena, count, sizeof *values);
    for (size_t i = 0; i < group_count; i++)
        results[i] = counts ? 0 : (double)NAN;
    if (count)
        qsort(rows, count, sizeof *rows, compare_rows);
    for (size_t i = 0; i < count;) {
        size_t group = rows[i].group;
        size_t found = 0;
        for (; i < count && rows[i].group == group; i++)
            values[found++] = rows[i].value;
        qsort(values, found, sizeof *values, compare_doubles);
        results[group] = statistic_of(
            arena, (enum score_statistic)cohort->statistic, values, found);
    }
    return results;
}

/* The cohort's statistic for every row, into column AT of TABLE. */
static void apply_cohort(struct arena *arena, const struct score_cohort *cohort,
                         const char *rows, size_t row_bytes, size_t count,
                         double *table, size_t width, size_t at)
{
    struct text_index groups = {0};
    size_t *group_of = arena_array(arena, count, sizeof *group_of);
    struct cohort_row *members = arena_array(arena, count, sizeof *members);
    size_t member_count = 0;
    for (size_t i = 0; i < count; i++) {
        const double *columns = table + i * width;
        group_of[i] = group_key(&groups, cohort, rows + i * row_bytes);
        double value = formula_value(&cohort->of, columns);
        double wanted =
            cohort->where.count ? formula_value(&cohort->where, columns) : 1;
        if (!isnan(value) && !isnan(wanted) && wanted != 0)
            members[member_count++] = (struct cohort_row){group_of[i], value};
    }
    double *results =
        group_statistics(arena, cohort, members, member_count, groups.count);
    for (size_t i = 0; i < count; i++)
        table[i * width + at] = results[group_of[i]];
    text_index_free(&groups);
}

double *scorecard_apply(struct arena *arena, const struct scorecard *card,
                        const void *rows, size_t row_bytes, size_t count)
{
    struct fields fields = score_source_fields((enum score_source)card->source);
    double *table = arena_array(arena, count * NAMES_MAX, sizeof *table);
    double *results =
        arena_array(arena, count * card->value_count, sizeof *results);
    size_t columns = 0;
    for (size_t i = 0; i < count; i++)
        columns = fill_columns(fields, (const char *)rows + i * row_bytes,
                               table + i * NAMES_MAX);
    for (size_t i = 0; i < card->cohort_count; i++)
        apply_cohort(arena, &card->cohorts[i], rows, row_bytes, count, table,
                     NAMES_MAX, columns + i);
    for (size_t i = 0; i < count; i++) {
        double *values = table + i * NAMES_MAX;
        size_t at = columns + card->cohort_count;
        for (size_t k = 0; k < card->value_count; k++, at++) {
            values[at] = formula_value(&card->values[k].formula, values);
            results[i * card->value_count + k] = values[at];
        }
    }
    return results;
}
