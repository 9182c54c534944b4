/*
 * config.h: what the operator decided, from four places.
 *
 * Every option is one row of the table in keys.c: name, type, default, range,
 * unit and one sentence. Reading YAML, the environment and flags, `config
 * default`, `config show`, `config check` and every message come from those
 * rows, so that an option is added by one row and one field below. Where the
 * same option is set in several places, flag beats environment beats file
 * beats default.
 *
 * A secret never stands in a configuration, only the path of a file that
 * holds it (keys that end in _file); what is read from there is never shown.
 *
 * Nothing changes after loading; any thread may read.
 */
#ifndef ASSAY_CONFIG_CONFIG_H
#define ASSAY_CONFIG_CONFIG_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "config/builtin.h"
#include "config/document.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What ingest.body_bytes may be: what the writer shares out for all bodies. */
enum { CONFIG_INGEST_BODY_BYTES_MAX = 12 << 20 };

/* A numeric address and a port; port 0 asks the system for a free one. */
struct config_address {
    const char *text; /* "127.0.0.1:8080", "[::1]:8080" */
    const char *host; /* without brackets */
    uint16_t port;
    bool loopback;
};

/* The content of a secret file, without its last newline. */
struct config_secret {
    const char *path;   /* "" where none is set */
    const char *secret; /* "" where none is set */
};

/* Where an option's value comes from. */
enum config_place {
    CONFIG_DEFAULT,
    CONFIG_FILE,
    CONFIG_ENVIRONMENT,
    CONFIG_FLAG
};

struct config_origin {
    enum config_place place;
    const char *name; /* file, variable or flag; null for the default */
    size_t line;      /* 1 is the first; files only */
};

/* One field an option, in the order of the table in keys.c. */
struct config {
    const char *data; /* directory of the store */
    const char *org;  /* organisation of imported lines that name none */
    struct config_address listen;
    bool public_read; /* reading needs no token beyond loopback */
    int log_level;    /* enum log_level of base/log.h */
    bool log_json;
    int64_t import_commit_lines;
    int64_t evidence_keep_accepted_days; /* 0: for ever, as the next two */
    int64_t evidence_keep_ignored_days;
    int64_t evidence_keep_rejected_days;
    int64_t evidence_max_bytes; /* 0: no limit */
    int64_t serve_workers;
    int64_t limits_connections;
    int64_t limits_connections_per_address; /* 0: by where it comes from */
    const char *tls_certificate_file;       /* "": plain HTTP */
    const char *tls_key_file;               /* "": the certificate's file */
    const char *tls_ca_file;                /* "": the list built in */
    struct config_secret ethereum_key_file; /* 64 hexadecimal digits */
    const char *payment_signer_url;         /* "": nobody is paid */
    struct config_secret payment_signer_authorization_file;
    int64_t payment_run_max_wei; /* 0: nothing is paid */
    int64_t payment_day_max_wei;
    const char *discover_static; /* "a.example,b.example:8935" */
    const char *discover_file;   /* "": none, as the next three */
    const char *discover_webhook_url;
    const char *discover_capabilities_url;
    const char *discover_discovery_url;
    bool sched_enabled;
    const char *sched_vantage;
    const char *sched_workflows;       /* "noop,my.yaml" */
    const char *sched_allow_cidrs;     /* "127.0.0.0/8,10.1.0.0/16" */
    const char *sched_control_targets; /* "https://a.example/,..." */
    int64_t sched_control_fail_ppm;
    int64_t sched_fleet_fail_ppm;
    int64_t sched_fleet_window_ms;
    int64_t sched_span_hours; /* of a plan; divides 24 */
    int64_t sched_run_ms;
    int64_t sched_run_spread_ms;
    int64_t sched_idle_share_ppm;
    int64_t sched_runs_per_hour;
    int64_t sched_run_ms_per_hour;
    int64_t sched_runs_at_once;
    int64_t sched_tight_ppm; /* 0: no run ends because its rate is known */
    int64_t sched_hour_ms;   /* less than an hour: a rehearsal */
    const char *serve_hosts; /* "a.example,b.example" */
    int64_t serve_requests_per_second;
    int64_t serve_token_failures_per_minute;
    int64_t serve_compute_bytes;
    int64_t ingest_body_bytes;
    int64_t ingest_decoded_bytes;
    const char *regions_gateways; /* for config_labels, as the next */
    const char *regions_orchestrators;

    /* How it came about; indices are those of the table. */
    struct config_origin origins[CONFIG_KEYS_MAX];
    struct config_problems problems;
    struct config_problems warnings;
    struct arena arena; /* owns every text above */
};

/* A flag of the command line that sets an option. */
struct config_flag {
    const char *key;   /* "log.level" */
    const char *value; /* as it was written */
    const char *flag;  /* "--log", for messages */
};

struct config_sources {
    const char *path;         /* YAML file; null: none */
    char *const *environment; /* as environ; null: none */
    const struct config_flag *flags;
    size_t flag_count;
};

/*
 * Fills CONFIG from the defaults and SOURCES. ERR_CONFIG where anything is
 * wrong; then config->problems holds all that is, and the sentence is the
 * first of them. Doubtful things that stop nobody are in config->warnings.
 * To be freed in either case.
 */
MUST_USE enum err config_load(struct config *config,
                              const struct config_sources *sources);

/* The same from defaults and YAML in memory; NAME stands in messages. */
MUST_USE enum err config_load_bytes(struct config *config, const char *name,
                                    const char *bytes, size_t length);

void config_free(struct config *config);

/* Calls VISIT, which may be null, for each pair of "name=label, name=label";
 * the texts are borrowed from TEXT, without blanks around them. Null where TEXT
 * is that, or empty; else what is wrong with it. */
typedef void label_visit(void *context, struct text name, struct text label);
const char *config_labels(const char *text, label_visit *visit, void *context);

/* Whether the option KEY was set anywhere, be it to its default. */
bool config_is_set(const struct config *config, const char *key);

/* ---- the table, seen from outside ------------------------------------ */

/* One option as a person or a program sees it. Texts are borrowed. */
struct config_entry {
    const char *key;      /* "log.level" */
    const char *value;    /* effective; "(set from FILE)" for secrets */
    const char *standard; /* the default */
    const char *unit;     /* "days"; "" where there is none */
    const char *help;     /* one sentence */
    const char *variable; /* "ASSAY_LOG_LEVEL" */
    const char *origin;   /* "default", "FILE:3", "ASSAY_ORG", "--org" */
    char kind;            /* of the value in JSON: t text, i integer, n number,
                             b boolean */
    int64_t number; /* the value where it is an integer: bytes, ms, a count */
};

size_t config_key_count(void);
/* Option I as CONFIG has it; texts live in ARENA. */
struct config_entry config_entry(struct arena *arena,
                                 const struct config *config, size_t i);

/* A commented YAML file that sets every option to its default. */
void config_default_yaml(struct buf *out);

/*
 * The one of COUNT words that somebody who wrote WORD most likely meant, or
 * null where none is near. For messages about any misspelt name.
 */
const char *nearest_word(const char *word, const char *const *words,
                         size_t count);

#endif
