/*
 * serving.h: what the files that serve the published series share. Private to
 * the API.
 *
 *     series.c       sla, demand, gpu-metrics: one list for all three
 *     payments.c     payments with their sessions
 *     percentiles.c  distributions of any range, merged
 *     computing.c    their rows where they are not in the tables
 *     source.c       rows one by one, whichever of the two it is
 *     list.h         lists of rows that are made for the question
 *     supply.h       who offers what; open_streams.c what goes on
 *     streaming.c    models and orchestrators of the last day
 *     compat.c       the same five exactly as the publisher answers
 *     requests.c     sums of jobs, ours and as the publisher answers
 *     plans.c        plans and the ledger of their runs
 *     measured.c     what we measured beside what is published
 *     csv.c          rows as CSV
 *     accept.c       which form the client wants
 *     conditional.c  entity tags, 304, gzip
 *     answer_cache.c rendered answers kept while the data stay the same
 *     openapi.c      the description of all routes
 */
#ifndef ASSAY_API_SERVING_H
#define ASSAY_API_SERVING_H

#include "api/api_int.h"
#include "base/clock.h"

/* The one pipeline that streams (published metrics §1.5). */
#define LIVE_PIPELINE "live-video-to-video"

enum { SERIES_FILTERS_MAX = 5, STREAM_WINDOW_MS = 24 * 60 * 60 * 1000 };

/* A published table of hourly rows. */
struct series {
    const struct fields *fields;
    size_t row_bytes;
    enum query_id query;
    enum query_id query_of_one; /* orchestrator, where that is a filter */
    /* Parameters that filter rows, as the queries number them; ends with null.
     */
    const char *filters[SERIES_FILTERS_MAX + 1];
    size_t computed_rows; /* within struct computed */
    size_t computed_count;
    /* More members of a row's JSON object; may be null. COMPUTED says that ROW
     * is not from the published table. */
    enum err (*extra)(struct request *request, struct json_writer *writer,
                      const void *row, bool computed);
    const struct series *assay; /* the tables of that lens */
};

extern const struct series series_sla;
extern const struct series series_demand;
extern const struct series series_gpu_metrics;

MUST_USE enum err series_answer(const struct series *series,
                                struct request *request, struct reply *reply);

const struct field *field_named(struct fields fields, const char *name);
/* The text of a field, "" where it is null. */
struct text field_key(const struct field *field, const void *row);

/* Until when an hour's rows tell: its end, or, while it lasts, its beginning.
 */
int64_t told_until(int64_t window_ms, int64_t now_ms);

/* What the clock says; of a simulation its own, by the store as REQUEST sees
 * it. */
int64_t present_ms(const struct request *request);
/* "Now": parameter as_of, else the clock. */
int64_t as_of_ms(const struct request *request);

/* ---- computing.c ------------------------------------------------------- */

struct computing *computing_new(void);
void computing_free(struct computing *computing);
/* Frees what has not been used for a minute. */
void computing_tidy(struct computing *computing);

/* Lens, pass and knowledge that REQUEST asks for, of all days. ERR_GONE where
 * what was known then can no longer be told. */
MUST_USE enum err read_computation(struct request *request,
                                   struct computation *computation);
/* As the publisher computes: what the tables hold. */
struct computation computation_published(const struct request *request);
/* Whether that is not what the published tables hold. */
bool is_computed(const struct computation *computation);
/* Whether it is what the tables of lens assay hold, and REQUEST did not ask for
 * one pass over everything, which is then made. */
bool is_kept_by_assay(const struct request *request,
                      const struct computation *computation);

/* *ROWS are the caller's until he releases them; null after an error.
 * ERR_LOCKED where others are being computed, ERR_LARGE where it takes more
 * memory than it may. */
MUST_USE enum err computed_rows(struct request *request,
                                const struct computation *computation,
                                const struct computed **rows);
/* Null is allowed. */
void computed_release(struct request *request, const struct computed *rows);

/* For what is computed by other means than computed_rows: one at a time all
 * the same. ERR_LOCKED as above, then nothing has begun; else it ends with
 * computing_end, which returns ERR, with a sentence of its own for ERR_LARGE.
 */
MUST_USE enum err computing_begin(struct request *request);
MUST_USE enum err computing_end(struct request *request, enum err err);

/* ---- turns.c ------------------------------------------------------------- */

/* What one worker at a time has in memory. */
enum turn {
    TURN_DAY,   /* the events of a day, and rows made of them */
    TURN_BLOCK, /* a block of evidence */
    TURN_COUNT
};

/* Waits until the turn is free. It is not taken twice by one, and TURN_BLOCK
 * may be taken within TURN_DAY, not the other way round. */
void turn_take(enum turn turn);
void turn_give(enum turn turn);

/* ---- source.c ----------------------------------------------------------- */

/* Calls VISIT for rows of hours FROM <= window_start < UNTIL, out of their
 * table, or computed. Rows come in no promised order, and are borrowed for the
 * call; its error ends it. */
typedef enum err row_visit(void *context, const void *row);
MUST_USE enum err each_sla_row(struct request *request,
                               struct computation *computation, int64_t from_ms,
                               int64_t until_ms, row_visit *visit,
                               void *context);
MUST_USE enum err each_demand_row(struct request *request,
                                  struct computation *computation,
                                  int64_t from_ms, int64_t until_ms,
                                  row_visit *visit, void *context);
MUST_USE enum err each_request_demand_row(struct request *request,
                                          struct computation *computation,
                                          int64_t from_ms, int64_t until_ms,
                                          row_visit *visit, void *context);

/* Jobs of one organisation and of one pass; ARENA is theirs. */
typedef enum err jobs_visit(void *context, struct arena *arena,
                            const struct jobs *jobs);
/* Calls VISIT for the jobs of passes that hold any completed with FROM <= time
 * < UNTIL, days newest first, others of the pass included. The context is told
 * where a day ends: then JOBS is null. ORG without data: all. *ENOUGH set ends
 * it. */
MUST_USE enum err each_jobs(struct request *request,
                            struct computation *computation, struct text org,
                            int64_t from_ms, int64_t until_ms,
                            jobs_visit *visit, void *context,
                            const bool *enough);

/* Calls VISIT for the events of GROUP with FROM <= ts < UNTIL, of ORG or, where
 * that has no data, of all; borrowed for the call. ERR_LARGE where those of an
 * hour take more than serve.compute_bytes. */
typedef void event_visit(void *context, const struct request_event *event);
MUST_USE enum err each_request_event(struct request *request,
                                     const struct knowledge *known,
                                     struct text org, enum request_group group,
                                     int64_t from_ms, int64_t until_ms,
                                     event_visit *visit, void *context);

/* ---- open_streams.c ------------------------------------------------------ */

/* A stream that goes on, as it was last heard of. */
struct open_stream {
    const struct session_row *session;
    int64_t last_seen;
    struct text event_id;    /* of what was heard last */
    enum stream_state state; /* of the last status; OTHER for none */
    double output_fps;       /* NaN for none */
    int64_t status_line;     /* evidence of it; -1 for none */
};

enum { ACTIVE_MS = 30 * MS_PER_MINUTE };

/*
 * Streams last heard of with SINCE < time <= NOW, at most LIMIT, newest first.
 * Their sessions are those of LENS, published or assay.
 * AS_PUBLISHED: closed ones, too, as they were before (§4.4): of the rows that
 * the publisher wrote of a stream, it takes the newest that is open.
 */
MUST_USE enum err open_streams(struct request *request, const struct lens *lens,
                               bool as_published, int64_t since_ms,
                               int64_t now_ms, int64_t limit,
                               struct open_stream **streams, size_t *count);

/* ---- streaming.c ------------------------------------------------------- */

extern const struct fields model_fields;

/* ---- requests.c ---------------------------------------------------------- */

extern const struct fields batch_summary_fields;
extern const struct fields byoc_summary_fields;
extern const struct fields llm_summary_fields;

/* ---- plans.c ------------------------------------------------------------- */

/* A plan, the sums of its ledger, and what was revealed of it. */
struct plan_row {
    struct text plan_hash;
    struct text vantage;
    struct text seed_sha256;
    int64_t starts_at;
    int64_t ends_at;
    int64_t hour_ms;
    int64_t run_ms;
    int64_t run_spread_ms;
    int64_t idle_share_ppm;
    int64_t run_ms_per_hour;
    int64_t runs_at_once;
    int64_t run_wei;
    int64_t day_wei;
    struct text control_targets;
    int64_t control_fail_ppm;
    int64_t fleet_fail_ppm;
    int64_t fleet_window_ms;
    int64_t made_at;
    int64_t targets;       /* workflows at orchestrators */
    int64_t orchestrators; /* of those targets */
    int64_t runs;          /* planned */
    int64_t executed;
    int64_t skipped;
    int64_t started;     /* under way */
    int64_t revealed_at; /* null before, as the next */
    struct text seed;    /* hex */
    int64_t line;        /* of evidence */
    int64_t reveal_line;
};
extern const struct fields plan_row_fields;

/* Planned runs that became the same. */
struct ledger_count {
    struct text state;
    struct text reason; /* "" for none */
    int64_t runs;
    int64_t last_decided_at;
};
extern const struct fields ledger_count_fields;

/* ---- measured.c ---------------------------------------------------------- */

/* One orchestrator, workflow and model. Intervals cover 95 of 100; their ends
 * are absent where there are too few samples. */
struct measured_row {
    struct text orchestrator_address; /* "" where none is known */
    struct text orchestrator_url;     /* "" where none was measured */
    struct text workflow;             /* "" where none was measured */
    struct text model_id;
    int64_t runs; /* live ones, as all of the following */
    int64_t ok;
    int64_t failed;
    int64_t busy;
    int64_t excused;
    int64_t vantage_suspect;
    double success_rate; /* ok of ok and failed */
    double success_rate_low;
    double success_rate_high;
    int64_t output_fps_n; /* runs with that figure */
    double output_fps;    /* median over runs */
    double output_fps_low;
    double output_fps_high;
    int64_t ptff_n;
    double ptff_ms;
    double ptff_low_ms;
    double ptff_high_ms;
    int64_t first_segment_n; /* first segment sent to first one received */
    double first_segment_ms;
    double first_segment_low_ms;
    double first_segment_high_ms;
    int64_t published_hours; /* null where nothing is published, as the rest */
    int64_t published_sessions; /* requested */
    double published_startup_rate;
    int64_t published_fps_n; /* status samples */
    double published_fps;
    int64_t published_ptff_n; /* sessions */
    double published_ptff_ms;
    int64_t published_e2e_n;
    double published_e2e_ms;
    double published_score;   /* weighted by requested sessions */
    int64_t planned_executed; /* null without a plan, as the next three */
    int64_t planned_skipped;
    int64_t budget_ms; /* what the plans allowed in all hours with a decision */
    int64_t used_ms;
    int64_t last_run;
};
extern const struct fields measured_fields;
/* ---- request_supply.c, byoc.c -------------------------------------------- */

extern const struct fields request_model_fields;
extern const struct fields byoc_worker_fields;
extern const struct fields byoc_auth_fields;

/* ---- dashboard*.c, job_feed.c, discover.c -------------------------------- */

extern const struct fields dashboard_orchestrator_fields;
extern const struct fields catalog_fields;
extern const struct fields pricing_fields;
extern const struct fields job_feed_fields;
extern const struct fields discover_fields;

/* ---- compat.c ------------------------------------------------------------ */

/* A time parameter, or OTHERWISE_MS where it cannot be read. */
int64_t compat_time(const struct request *request, const char *name,
                    int64_t otherwise_ms);
/* Pages in the publisher's envelope: open, which reads limit and cursor; begin;
 * rows, each counted; end with the next cursor, "" for none. */
struct compat_page {
    struct request *request;
    int64_t limit;
    struct cursor after; /* the time, then the keys */
    struct json_writer writer;
    int64_t rows;
};
MUST_USE enum err compat_open(struct compat_page *page, struct request *request,
                              size_t key_count);
void compat_begin(struct compat_page *page, struct reply *reply);
void compat_end(struct compat_page *page, struct text next);
struct text compat_cursor_text(struct arena *arena, int64_t ms,
                               const struct text *keys, size_t count);
/* Whole numbers without a fraction; 0 for NaN. */
void compat_number(struct json_writer *writer, double value);
/* A window as "12h", "7d" or "12", in hours from 1 to 168; 24 for what is none.
 */
int64_t compat_window_hours(const struct request *request);
/* Parameter limit, at most MOST; STANDARD for what is none. */
int64_t compat_limit(const struct request *request, int64_t standard,
                     int64_t most);
/* A member of a row, with 0 or "" for null. */
void compat_value(struct json_writer *writer, const struct field *field,
                  const void *row);

/* ---- evidence.c, evidence_lists.c -----------------------------------------
 */

extern const struct fields feed_fields;
extern const struct fields count_fields;
extern const struct fields line_fields;

/* Arrays of all rows. */
MUST_USE enum err json_feeds(struct request *request,
                             struct json_writer *writer);
MUST_USE enum err json_counts(struct request *request,
                              struct json_writer *writer);

/* In hexadecimal, of the original line; a repeat has none. */
void line_sha256(const struct evidence_line *line,
                 char hex[2 * SHA256_BYTES + 1]);

/* ---- csv.c -------------------------------------------------------------- */

/* The names of the exported fields as a line, without its end. */
void csv_names(struct buf *out, struct fields fields);
/* The exported fields of ROW as a line, as `assay export` prints it. */
void csv_row(struct buf *out, struct fields fields, const void *row);
void csv_text(struct buf *out, struct text text);

/* ---- accept.c ------------------------------------------------------------ */

/* Of the header Accept, null is allowed: CSV is wanted more than JSON. */
bool prefers_csv(const char *header);
/* Parameter format, else the header. */
bool wants_csv(const struct request *request);

/* ---- conditional.c ------------------------------------------------------- */

/* Gives a good answer its entity tag and compresses it where that pays and
 * the client takes it. */
void answer_finish(const struct request *request, struct reply *reply);
/* Holds a list against parameter "pin", the entity tag that it must have: an
 * address with a pin answers the same for ever, or is gone. A list without one
 * tells that address. */
void answer_pin(const struct request *request, struct reply *reply);
/* Empties it where the client has it already. */
void answer_condition(const struct request *request, struct reply *reply);

/* ---- answer_cache.c -------------------------------------------------------
 */

/* Where two answers with one key can differ though the data do not. */
enum keeping {
    KEEP_NOT,
    KEEP_HOUR,  /* by the hour */
    KEEP_SECOND /* by the second */
};

enum { ANSWER_CACHE_BYTES = 16 << 20 };

struct answer_cache;
struct answer_cache *answer_cache_new(size_t bytes_max);
void answer_cache_free(struct answer_cache *cache);

enum keeping answer_keeping(const struct route *route,
                            const struct request *request);
struct text answer_key(const struct request *request, enum keeping keeping,
                       int64_t now_ms);

/* Fills REPLY from what was kept under KEY at this MOMENT of the store. */
bool answer_cache_find(struct answer_cache *cache, struct arena *arena,
                       struct text key, const struct store_moment *moment,
                       struct reply *reply);
void answer_cache_keep(struct answer_cache *cache, struct text key,
                       const struct store_moment *moment,
                       const struct reply *reply);

#endif
