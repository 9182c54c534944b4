/*
 * api_int.h: what the files of this room share. Private to the API.
 *
 *     server.c       listening, workers, what a request may be, sending
 *     lobby.h        where connections wait: lobby*.c, beginning.c
 *     body.c         the body of a request as a stream
 *     gate.c, limiter.c, token.c   who may ask what, and how often
 *     routes.c       the table of routes and their parameters
 *     reply.c        answers, errors as problems (RFC 7807)
 *     asset.c        the page's files
 *     query_string.c, base64.c     pure helpers
 *     cursor.c       where a list goes on
 *     page.c         lists in pages: their envelope and their cursors
 *     rows.c         rows as JSON objects
 *     ingest.c, tokens.c   handlers that change something
 *     readiness.c    the two questions that supervisors ask
 *     health.c, scores.c, sessions.c, session.c, evidence.c    handlers
 *     serving.h      series.c, streaming.c, compat.c, openapi.c and what they
 * use attribution.c  why a session was attributed as it was, in sentences
 *
 * A handler reads its parameters, asks the store and writes JSON into the
 * reply's body; only server.c knows sockets.
 */
#ifndef ASSAY_API_API_INT_H
#define ASSAY_API_API_INT_H

#include "api/api.h"
#include "api/body.h"
#include "api/cursor.h"
#include "api/query_string.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "config/config.h"
#include "ingest/ingest.h"
#include "rollup/rollup.h"
#include "store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct api_facts {
    const char *directory; /* absolute */
    int64_t started_ms;
    bool is_simulated; /* the store tells of a network that does not exist */
    struct simulation simulation;
};

struct request {
    struct text path;     /* decoded, without the parameters */
    struct text argument; /* what "{...}" of the route's path stands for */
    struct query_string query;
    const char *raw_query; /* as it came; "" for none */
    const char *accept;    /* headers; null where absent */
    const char *accept_encoding;
    const char *if_none_match;
    struct arena *arena;         /* lives as long as the request */
    struct store *store;         /* null for routes without one */
    struct store_moment moment;  /* that is read */
    struct moments *moments;     /* of the cursors that the server gave */
    struct computing *computing; /* rows that are not in the tables */
    bool goes_on;                /* with a list, from this place: */
    struct place place;
    const struct api_facts *facts;
    const char *method;        /* "GET" also for HEAD */
    struct request_body *body; /* null where the request has none */
    const char *content_type;
    const char *content_encoding;
    const char *idempotency_key;
    const struct token *token; /* the caller's; null without one */
    struct writer *writer;     /* null where nothing is written */
    struct readiness *readiness;
    const struct config *config;
};

struct reply {
    int status;
    const char *content_type;
    const char *cache_control;
    const char *etag;     /* with quotes; null for none */
    const char *allow;    /* methods, with status 405 */
    int retry_after_s;    /* 0 for none */
    bool asks_for_token;  /* with status 401 */
    bool for_everybody;   /* pages of any origin may read it */
    bool gzip;            /* the body is compressed */
    const char *link;     /* null for none */
    const char *cursor;   /* that it holds; null for none */
    bool is_list;         /* of rows, which an address can pin */
    uint64_t rows;        /* of a list: fingerprint of them, */
    size_t rows_end;      /* and where they end in the body */
    const char *location; /* that does; null for none */
    bool varies;          /* by Accept-Encoding */
    bool varies_by_accept;
    struct text borrowed; /* sent instead of body where its data is not null */
    struct buf *body;     /* the worker's */
};

/* ---- routes.c -------------------------------------------------------- */

enum parameter_kind {
    PARAMETER_TEXT,   /* any text, also the empty one */
    PARAMETER_TIME,   /* RFC 3339 or a day */
    PARAMETER_HOUR,   /* the same, and the start of an hour */
    PARAMETER_LIMIT,  /* 1 to LIMIT_MAX */
    PARAMETER_CHOICE, /* one of the words in choices */
    PARAMETER_WINDOW, /* hours before now: "12h", "12", "7d" */
    PARAMETER_CURSOR,
    PARAMETER_PIN, /* an entity tag */
    PARAMETER_ANY  /* named "*": takes what the list does not name */
};

struct parameter {
    const char *name;
    enum parameter_kind kind;
    const char *choices; /* PARAMETER_CHOICE: separated by '|' */
    const char *meaning; /* null where the kind says it all */
};

struct route {
    /* "/v1/sessions/{key}": the braces take the rest, whatever it holds */
    const char *path;
    const struct parameter *parameters; /* ends without a name; may be null */
    bool without_store;
    MUST_USE enum err (*answer)(struct request *request, struct reply *reply);
    const char *summary;
    enum scope scope;
    const char *method; /* "GET", which answers HEAD, too; "POST", "DELETE" */
};

/* Ends with a route without a path. */
extern const struct route routes[];

/* The route of request->path and request->method, with request->argument set;
 * null for none, then *ALLOW lists the methods there are for this path; null
 * where there are none. */
const struct route *route_find(struct request *request, const char **allow);

/* Whether it passes over parameters that it does not know. */
bool route_takes_anything(const struct route *route);

/* Every parameter given is known and well-formed; a cursor is opened. ERR_INPUT
 * otherwise, or as cursor_open; *WRONG is the parameter's name. */
MUST_USE enum err parameters_check(const struct route *route,
                                   struct request *request, struct text *wrong);

/* Parameters that parameters_check has seen. */
struct text parameter_text(const struct request *request, const char *name);
int64_t parameter_time(const struct request *request, const char *name,
                       int64_t otherwise_ms);
enum { WINDOW_HOURS_STANDARD = 24, WINDOW_HOURS_MAX = 168 };
int64_t parameter_window_hours(const struct request *request);
int64_t parameter_limit(const struct request *request);
const struct lens *parameter_lens(const struct request *request);
enum pass parameter_pass(const struct request *request);

/* ---- reply.c --------------------------------------------------------- */

/* Starts an answer of JSON: status 200, an empty body to write on. */
struct json_writer reply_json(struct reply *reply);

/* Replaces the answer by a problem. WRONG names a parameter, or has no data.
 */
void reply_problem(struct reply *reply, int status, const char *detail,
                   struct text wrong);
/* The same from what a handler returned, with its sentence. */
void reply_err(struct reply *reply, enum err err, struct text wrong);

const char *status_text(int status);

/* ---- asset.c --------------------------------------------------------- */

/* Answers with the file at request->path; false where there is none. */
bool asset_answer(const struct request *request, struct reply *reply);

/* Of the header Accept-Encoding; null is allowed. */
bool accepts_gzip(const char *header);
/* Of the header If-None-Match; null is allowed. */
bool etag_matches(const char *header, const char *etag);

/* Hexadecimal digits of an entity tag (conditional.c). */
enum { TAG_DIGITS = 16 };

/* ---- page.c ---------------------------------------------------------- */

enum { LIMIT_MAX = 1000, LIMIT_STANDARD = 50 };

/* Reads the cursor TEXT of this REQUEST: place, and the moment to be read.
 * ERR_INPUT where it is none or was given for another question, ERR_GONE where
 * its moment is not known. */
MUST_USE enum err cursor_open(struct request *request, struct text text);
/* ERR_GONE with its sentence. */
enum err cursor_gone(void);
/* The sort key in the cursor; SHAPE is a letter a part, 'i' or 't'. */
MUST_USE enum err cursor_read(struct request *request, const char *shape,
                              struct cursor *cursor);

/*
 * A list, as JSON in an envelope or as CSV: begin, then rows as long as
 * page_wants_row, which counts them and finds out whether there are more than
 * were asked for, then end.
 */
struct page {
    const struct request *request;
    struct reply *reply;
    bool csv;
    struct json_writer writer; /* where it is not CSV */
    int64_t limit;
    int64_t rows;
    bool more;
    size_t rows_at; /* where they begin in the body */
    int64_t told_until_ms;
    const struct knowledge *known; /* null where nobody asks as of a time */
};
/* FIELDS name the columns of the CSV, and MORE others behind them; null for
 * none. */
struct page page_begin(const struct request *request, struct reply *reply,
                       struct fields fields, const char *more);
/* Where as_of is given, the envelope tells what KNOWN rests on. */
void page_as_of(struct page *page, const struct knowledge *known);
/* Rows to ask the store for: one more than the page holds. */
int64_t page_rows(const struct page *page);
bool page_wants_row(struct page *page);
/* ROW by its exported fields and nothing more. */
void page_add_row(struct page *page, struct fields fields, const void *row);
/* Its rows tell of what was until MS at least: meta.generated_at. It follows
 * from the rows alone, so that the same rows have the same entity tag. */
void page_tells_until(struct page *page, int64_t ms);
/* LAST is the sort key of the last row. */
void page_end(struct page *page, const char *shape, const struct cursor *last);

/* A list that is a member of another answer: rows go where WRITER stands, LIMIT
 * is for who gives none, and the end is the member "pagination". */
struct page page_within(const struct request *request, struct reply *reply,
                        struct json_writer *writer, int64_t limit);
void page_end_within(struct page *page, const char *shape,
                     const struct cursor *last);

/* ---- rows.c ---------------------------------------------------------- */

/* The first COUNT fields of ROW as members of the object being written. */
void json_fields(struct json_writer *writer, struct fields fields, size_t count,
                 const void *row);
/* The same text as json_double, sooner. */
void json_row_double(struct json_writer *writer, double value);
/* Null for ABSENT_INT. */
void json_time(struct json_writer *writer, int64_t ms);
void json_window(struct json_writer *writer, int64_t ms);
void json_text_or_null(struct json_writer *writer, struct text text);
/* Binds null for a text that is not given. */
void bind_optional(struct query *query, int at, struct text text);
/* Binds the two parts of CURSOR, a number and a text or number, from AT on;
 * null where none is given. */
void bind_place(struct query *query, int at, const struct cursor *cursor);

/* ---- attribution.c --------------------------------------------------- */

/* The capability snapshot nearest to a selection that lists its orchestrator.
 */
struct nearest_snapshot {
    bool known; /* was looked for */
    bool found;
    int64_t after_ms; /* snapshot - selection; negative: before it */
};

/*
 * Writes an array of sentences: why SESSION was attributed as it was.
 * DECIDING is its last selection, or null where it has none. Pure.
 */
void attribution_explain(struct json_writer *writer, struct arena *arena,
                         const struct session_row *session,
                         const struct selection_row *deciding,
                         struct nearest_snapshot nearest);

/* ---- token.c --------------------------------------------------------- */

/* Whether there is any good token. */
MUST_USE enum err token_any(struct store *store, bool *any);
/* The token in the header Authorization, without data where there is none. */
struct text token_of_header(const char *header);
/* *FOUND is null where TEXT is no good token. */
MUST_USE enum err token_find(struct store *store, struct arena *arena,
                             struct text text, const struct token **found);

/* ---- ingest.c -------------------------------------------------------- */

/* Whether BODY can be taken: whole, decompressed at most MOST_BYTES, of at most
 * BODY_RECORDS_MAX records, and what the header Content-Encoding (null for
 * none) says. ERR_INPUT where it cannot; *REPORT tells whether it is too long.
 */
enum { BODY_RECORDS_MAX = 250000 };
MUST_USE enum err body_check(struct text body, const char *encoding,
                             uint64_t most_bytes, struct reader_report *report);

/* ---- readiness.c ------------------------------------------------------ */

/* What the last write that was made to find out came to. */
struct readiness *readiness_new(void);
void readiness_free(struct readiness *readiness);

/* ---- handlers -------------------------------------------------------- */

MUST_USE enum err answer_alive(struct request *request, struct reply *reply);
MUST_USE enum err answer_ready(struct request *request, struct reply *reply);
MUST_USE enum err answer_health(struct request *request, struct reply *reply);
MUST_USE enum err answer_scores(struct request *request, struct reply *reply);
MUST_USE enum err answer_payments(struct request *request, struct reply *reply);
MUST_USE enum err answer_percentiles(struct request *request,
                                     struct reply *reply);
MUST_USE enum err answer_demand(struct request *request, struct reply *reply);
MUST_USE enum err answer_gpu_metrics(struct request *request,
                                     struct reply *reply);
MUST_USE enum err answer_stream_models(struct request *request,
                                       struct reply *reply);
MUST_USE enum err answer_stream_orchestrators(struct request *request,
                                              struct reply *reply);
MUST_USE enum err compat_sla(struct request *request, struct reply *reply);
MUST_USE enum err compat_demand(struct request *request, struct reply *reply);
MUST_USE enum err compat_gpu_metrics(struct request *request,
                                     struct reply *reply);
MUST_USE enum err compat_models(struct request *request, struct reply *reply);
MUST_USE enum err answer_batch_summary(struct request *request,
                                       struct reply *reply);
MUST_USE enum err answer_byoc_summary(struct request *request,
                                      struct reply *reply);
MUST_USE enum err answer_llm_summary(struct request *request,
                                     struct reply *reply);
MUST_USE enum err compat_batch_summary(struct request *request,
                                       struct reply *reply);
MUST_USE enum err compat_byoc_summary(struct request *request,
                                      struct reply *reply);
MUST_USE enum err compat_llm_summary(struct request *request,
                                     struct reply *reply);
MUST_USE enum err compat_orchestrators(struct request *request,
                                       struct reply *reply);
MUST_USE enum err answer_request_models(struct request *request,
                                        struct reply *reply);
MUST_USE enum err compat_request_models(struct request *request,
                                        struct reply *reply);
MUST_USE enum err answer_request_orchestrators(struct request *request,
                                               struct reply *reply);
MUST_USE enum err compat_request_orchestrators(struct request *request,
                                               struct reply *reply);
MUST_USE enum err answer_batch_jobs(struct request *request,
                                    struct reply *reply);
MUST_USE enum err compat_batch_jobs(struct request *request,
                                    struct reply *reply);
MUST_USE enum err answer_byoc_jobs(struct request *request,
                                   struct reply *reply);
MUST_USE enum err compat_byoc_jobs(struct request *request,
                                   struct reply *reply);
MUST_USE enum err answer_byoc_workers(struct request *request,
                                      struct reply *reply);
MUST_USE enum err compat_byoc_workers(struct request *request,
                                      struct reply *reply);
MUST_USE enum err answer_byoc_auth(struct request *request,
                                   struct reply *reply);
MUST_USE enum err compat_byoc_auth(struct request *request,
                                   struct reply *reply);
MUST_USE enum err answer_dashboard_kpi(struct request *request,
                                       struct reply *reply);
MUST_USE enum err compat_dashboard_kpi(struct request *request,
                                       struct reply *reply);
MUST_USE enum err answer_dashboard_pipelines(struct request *request,
                                             struct reply *reply);
MUST_USE enum err compat_dashboard_pipelines(struct request *request,
                                             struct reply *reply);
MUST_USE enum err answer_dashboard_orchestrators(struct request *request,
                                                 struct reply *reply);
MUST_USE enum err compat_dashboard_orchestrators(struct request *request,
                                                 struct reply *reply);
MUST_USE enum err answer_gpu_capacity(struct request *request,
                                      struct reply *reply);
MUST_USE enum err compat_gpu_capacity(struct request *request,
                                      struct reply *reply);
MUST_USE enum err answer_pipeline_catalog(struct request *request,
                                          struct reply *reply);
MUST_USE enum err compat_pipeline_catalog(struct request *request,
                                          struct reply *reply);
MUST_USE enum err answer_pricing(struct request *request, struct reply *reply);
MUST_USE enum err compat_pricing(struct request *request, struct reply *reply);
MUST_USE enum err answer_job_feed(struct request *request, struct reply *reply);
MUST_USE enum err compat_job_feed(struct request *request, struct reply *reply);
MUST_USE enum err answer_discover(struct request *request, struct reply *reply);
MUST_USE enum err compat_discover(struct request *request, struct reply *reply);
MUST_USE enum err answer_metrics(struct request *request, struct reply *reply);
MUST_USE enum err answer_openapi(struct request *request, struct reply *reply);
MUST_USE enum err answer_sessions(struct request *request, struct reply *reply);
MUST_USE enum err answer_runs(struct request *request, struct reply *reply);
MUST_USE enum err answer_run(struct request *request, struct reply *reply);
MUST_USE enum err answer_plans(struct request *request, struct reply *reply);
MUST_USE enum err answer_ledger(struct request *request, struct reply *reply);
MUST_USE enum err answer_ledger_counts(struct request *request,
                                       struct reply *reply);
MUST_USE enum err answer_measured(struct request *request, struct reply *reply);
MUST_USE enum err answer_session(struct request *request, struct reply *reply);
MUST_USE enum err answer_feeds(struct request *request, struct reply *reply);
MUST_USE enum err answer_counts(struct request *request, struct reply *reply);
MUST_USE enum err answer_lines(struct request *request, struct reply *reply);
MUST_USE enum err answer_line(struct request *request, struct reply *reply);
MUST_USE enum err answer_ingest(struct request *request, struct reply *reply);
MUST_USE enum err answer_tokens(struct request *request, struct reply *reply);
MUST_USE enum err answer_token_new(struct request *request,
                                   struct reply *reply);
MUST_USE enum err answer_token_end(struct request *request,
                                   struct reply *reply);

#endif
