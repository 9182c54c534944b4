/*
 * The driver through simulated days: every planned run has a row, no ceiling is
 * passed, whatever the clock, the disk, the network and the power do.
 */
#include "sched/world.h"

#include "harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HOUR = MS_PER_HOUR, MINUTE = MS_PER_MINUTE };

/* ---- the books ----------------------------------------------------------- */

struct audit {
    size_t plans;
    size_t revealed;
    size_t planned;
    size_t executed;
    size_t skipped;
    size_t skips[SKIP_COUNT];
    size_t findings;
    size_t undecided;
    struct coverage_report coverage; /* of plans whose seed is revealed */
};

static void tell(void *context, const char *sentence)
{
    (void)context;
    fprintf(stderr, "finding: %s\n", sentence);
}

static void add(struct audit *audit, const struct plan_coverage *coverage)
{
    audit->planned += coverage->planned;
    audit->executed += coverage->executed;
    audit->skipped += coverage->skipped;
    audit->findings += coverage->findings;
    audit->undecided += coverage->undecided;
    for (size_t i = 0; i < SKIP_COUNT; i++)
        audit->skips[i] += coverage->skips[i];
}

/* Every plan of the store against its ledger and runs, as a stranger would. */
static struct audit verify_all(struct world *world)
{
    struct audit audit = {0};
    struct arena arena = {0};
    struct coverage *reached = coverage_new();
    struct text *hashes = NULL;
    size_t count = 0;
    bool found;
    REQUIRE_OK(store_open(&world->store, test_path("store"), STORE_READ));
    struct query *query = query_start(world->store, QUERY_PLAN_ALL);
    REQUIRE_OK(query_step(query, &found));
    while (found) {
        hashes = arena_grow(&arena, hashes, count, sizeof *hashes);
        hashes[count++] = query_copy(&arena, query, 0);
        REQUIRE_OK(query_step(query, &found));
    }
    for (size_t i = 0; i < count; i++) {
        struct stored_plan stored;
        REQUIRE_OK(stored_plan_read(world->store, &arena, hashes[i], &stored));
        stored.books.now = world->wall_ms;
        struct plan_coverage coverage = plan_verify(&stored.books, tell, NULL);
        audit.plans++;
        audit.revealed += stored.books.seed != NULL;
        add(&audit, &coverage);
        if (stored.books.seed)
            coverage_add(reached, &stored.books);
    }
    coverage_report(reached, &audit.coverage);
    coverage_free(reached);
    store_close(world->store);
    arena_free(&arena);
    return audit;
}

/* ---- an ordinary day ----------------------------------------------------- */

/* Users come and go. */
static void crowd(struct world *world)
{
    for (size_t i = 0; i < world->count; i++) {
        struct simulated *one = &world->list[i];
        uint64_t chance = world_drawn(world) % 100;
        if (chance < 10 && one->users < one->slots)
            one->users++;
        else if (chance >= 85 && one->users > 0)
            one->users--;
    }
}

TEST(a_day_of_fifty_orchestrators)
{
    static struct world world;
    world_open(&world, 50);
    world.minute = crowd;
    world.list[7].down = true;
    world.list[9].fails = true;
    world_start(&world);
    world_run(&world, 24 * HOUR + 5 * MINUTE);
    world_stop(&world);
    struct audit audit = verify_all(&world);
    CHECK_EQ_INT(audit.findings, 0);
    CHECK_EQ_INT(audit.revealed, 1);
    CHECK_EQ_INT(audit.plans, 2);
    CHECK_EQ_INT(audit.planned, 50 * 24);
    CHECK(audit.executed > audit.planned / 2);
    CHECK(audit.skips[SKIP_BUSY] > 0);
    CHECK_EQ_INT(audit.coverage.orchestrators, 50);
    CHECK_EQ_INT(audit.coverage.gpus, 50);
    CHECK_EQ_INT(audit.coverage.starved, 0);
    CHECK(audit.coverage.even && audit.coverage.parts == 24);
    printf("# %lld of %zu planned runs executed, %lld to %lld each; hours of "
           "the week: chi-square %.1f in %zu parts, p = %.3f\n",
           (long long)audit.coverage.executed, audit.planned,
           (long long)audit.coverage.least, (long long)audit.coverage.most,
           audit.coverage.chi_square, audit.coverage.parts, audit.coverage.p);
    CHECK(world.most_running <= world.terms.runs_at_once);
    for (size_t i = 0; i < world.count; i++) {
        CHECK(world.list[i].down == (world.list[i].live_runs == 0));
        CHECK(world.list[i].most_ours <= 1 || world.list[i].slots > 1);
    }
    world_close(&world);
}

TEST(a_rate_that_is_known_ends_a_run)
{
    static struct world world;
    world_open(&world, 3);
    world.steady = true;
    world.terms.tight_ppm = 20000;
    world.terms.span_ms = 6 * HOUR;
    world_start(&world);
    world_run(&world, 6 * HOUR + 5 * MINUTE);
    CHECK(world_rows(&world, "stopped_early", LEDGER_STOPPED_TIGHT) > 5);
    world_stop(&world);
    CHECK_EQ_INT(verify_all(&world).findings, 0);
    world_close(&world);
}

static void rush(struct world *world)
{
    for (size_t i = 0; i < world->count; i++)
        world->list[i].users = world->list[i].ours ? 1 : 0;
}

TEST(who_wants_the_last_slot_gets_it)
{
    static struct world world;
    world_open(&world, 3);
    world.minute = rush;
    world.terms.runs_per_hour = 4;
    world.terms.span_ms = 6 * HOUR;
    world_start(&world);
    world_run(&world, 6 * HOUR + 5 * MINUTE);
    CHECK(world_rows(&world, "stopped_early", LEDGER_STOPPED_BUSY) > 3);
    world_stop(&world);
    CHECK_EQ_INT(verify_all(&world).findings, 0);
    world_close(&world);
}

TEST(who_wants_the_slot_before_a_frame_came_blames_nobody)
{
    static struct world world;
    world_open(&world, 3);
    world.minute = rush;
    world.terms.runs_per_hour = 4;
    world.terms.span_ms = 6 * HOUR;
    for (size_t i = 0; i < world.count; i++)
        world.list[i].slow_ms = 12000;
    world_start(&world);
    world_run(&world, 6 * HOUR + 5 * MINUTE);
    CHECK(world_rows(&world, "stopped_early", LEDGER_STOPPED_BUSY) > 3);
    CHECK(world_runs(&world, "excused") > 3);
    CHECK_EQ_INT(world_runs(&world, "failed"), 0);
    world_stop(&world);
    CHECK_EQ_INT(verify_all(&world).findings, 0);
    world_close(&world);
}

/* ---- clocks -------------------------------------------------------------- */

TEST(a_clock_that_jumps_makes_no_storm)
{
    static const struct {
        int64_t ms;
        int64_t back_after_ms; /* 0: never set right */
    } rows[] = {
        {HOUR, 0},
        {-HOUR, 0},
        {MS_PER_DAY, 0},
        {-(int64_t)MS_PER_DAY, 10 * MINUTE},
        {INT64_C(3650) * MS_PER_DAY, 10 * MINUTE},
        {-INT64_C(3650) * MS_PER_DAY, 10 * MINUTE},
        {8 * HOUR, 0}, /* what a suspend looks like */
        {INT64_C(3650) * MS_PER_DAY, 20 * MS_PER_SECOND},
    };
    EACH_ROW (row, rows) {
        static struct world world;
        world_open(&world, 5);
        world_start(&world);
        world_run(&world, 10 * HOUR + 7 * MINUTE);
        world.most_running = 0;
        world_set_clock(&world, row->ms);
        int before = world.writes;
        world_run(&world, 30 * MS_PER_SECOND);
        CHECK_EQ_INT(world_begun_in_doubt(&world), 0);
        CHECK(world.writes - before < 40);
        if (row->back_after_ms) {
            world_run(&world, row->back_after_ms);
            world_set_clock(&world, -row->ms);
        }
        world_run(&world, 16 * HOUR);
        CHECK(world.most_running > 0 &&
              world.most_running <= world.terms.runs_at_once);
        world_stop(&world);
        struct audit audit = verify_all(&world);
        CHECK_EQ_INT(audit.findings, 0);
        if (row->ms >= HOUR)
            CHECK(audit.skips[SKIP_CLOCK] > 0);
        world_close(&world);
        world_forget_store();
    }
}

TEST(a_clock_that_is_wrong_or_contradicted_measures_nothing)
{
    for (int contradicted = 0; contradicted < 2; contradicted++) {
        static struct world world;
        world_open(&world, 3);
        world.offset_ms = contradicted ? 0 : 70000;
        world.offset_contradicted = contradicted;
        world.terms.span_ms = 3 * HOUR;
        world_start(&world);
        world_run(&world, 3 * HOUR + 5 * MINUTE);
        world_stop(&world);
        struct audit audit = verify_all(&world);
        CHECK_EQ_INT(audit.executed, 0);
        CHECK(audit.skips[SKIP_CLOCK] > 3);
        world_close(&world);
        world_forget_store();
    }
}

/* ---- our own faults ------------------------------------------------------ */

static void stand_still(struct world *world)
{
    world_stall(world, 4 * MS_PER_SECOND);
}

TEST(what_we_slept_through_is_not_theirs)
{
    static struct world world;
    world_open(&world, 10);
    world.minute = stand_still;
    world.terms.runs_per_hour = 4;
    world.terms.span_ms = 6 * HOUR;
    world_start(&world);
    world_run(&world, 6 * HOUR + 5 * MINUTE);
    CHECK_EQ_INT(world_runs(&world, "failed"), 0);
    CHECK(world_runs(&world, "vantage_suspect") > 0);
    CHECK(world_runs(&world, "ok") > 100);
    world_stop(&world);
    CHECK_EQ_INT(verify_all(&world).findings, 0);
    world_close(&world);
}

/* From the eleventh minute of each hour on, for three minutes, we are cut off.
 */
static void cut_off(struct world *world)
{
    int64_t minute = world->wall_ms / MINUTE % 60;
    bool cut = minute % 20 >= 11 && minute % 20 < 14;
    world->controls_fail = cut;
    for (size_t i = 0; i < world->count; i++)
        world->list[i].fails = cut;
}

TEST(what_fails_while_we_are_cut_off_is_not_theirs)
{
    static struct world world;
    world_open(&world, 10);
    world.minute = cut_off;
    world.terms.runs_per_hour = 4;
    world.terms.span_ms = 6 * HOUR;
    world_start(&world);
    world_run(&world, 6 * HOUR + 5 * MINUTE);
    CHECK_EQ_INT(world_runs(&world, "failed"), 0);
    CHECK(world_runs(&world, "vantage_suspect") > 0);
    CHECK(world_runs(&world, "ok") > 100);
    world_stop(&world);
    struct audit audit = verify_all(&world);
    CHECK_EQ_INT(audit.findings, 0);
    CHECK(audit.skips[SKIP_VANTAGE] > 0);
    world_close(&world);
}

/* The same, but that orchestrators deliver all the while. */
static void lose_controls(struct world *world)
{
    int64_t minute = world->wall_ms / MINUTE % 60;
    world->controls_fail = minute % 20 >= 11 && minute % 20 < 14;
}

TEST(what_succeeds_while_we_are_cut_off_is_set_aside_as_well)
{
    static struct world world;
    world_open(&world, 10);
    world.minute = lose_controls;
    world.terms.runs_per_hour = 12;
    world.terms.span_ms = 6 * HOUR;
    world_start(&world);
    world_run(&world, 6 * HOUR + 5 * MINUTE);
    int64_t suspect = world_runs(&world, "vantage_suspect");
    CHECK(suspect > 0);
    CHECK_EQ_INT(world_rows(&world, "set_aside", "control_targets_failed"),
                 suspect);
    CHECK_EQ_INT(world_rows(&world, "measured", "ok"),
                 suspect + world_runs(&world, "ok"));
    world_stop(&world);
    CHECK_EQ_INT(verify_all(&world).findings, 0);
    world_close(&world);
}

/* Sixty orchestrators, a run of one of them every five seconds or so, and no
 * control targets that could tell. */
static void open_fleet(struct world *world)
{
    world_open(world, 60);
    world->terms.control_targets = "";
    world->terms.runs_per_hour = 12;
    world->terms.run_ms_per_hour = 60 * HOUR;
    world->terms.runs_at_once = 60;
    world->terms.span_ms = 2 * HOUR;
    world_start(world);
}

static void close_fleet(struct world *world)
{
    world_stop(world);
    CHECK_EQ_INT(verify_all(world).findings, 0);
    world_close(world);
    world_forget_store();
}

static void fail(struct world *world, size_t count, bool fails)
{
    for (size_t i = 0; i < count; i++)
        world->list[i].fails = fails;
}

TEST(what_fails_with_most_of_the_fleet_is_not_theirs)
{
    static struct world world;
    open_fleet(&world);
    world_run(&world, 30 * MINUTE);
    CHECK_EQ_INT(world_runs(&world, "failed"), 0);
    fail(&world, world.count, true);
    world_run(&world, 20 * MINUTE);
    fail(&world, world.count, false);
    world_run(&world, 10 * MINUTE);
    int64_t suspect = world_runs(&world, "vantage_suspect");
    CHECK(suspect > 100);
    CHECK_EQ_INT(world_rows(&world, "set_aside", "fleet_failed"), suspect);
    /* At either end, where most of the minute was good. */
    CHECK(world_runs(&world, "failed") < suspect / 10);
    close_fleet(&world);
}

TEST(who_fails_alone_has_failed)
{
    static struct world world;
    open_fleet(&world);
    fail(&world, 1, true);
    world_run(&world, HOUR);
    CHECK(world_runs(&world, "failed") > 5);
    CHECK_EQ_INT(world_runs(&world, "vantage_suspect"), 0);
    close_fleet(&world);
}

/* In an hour each of the four ends a run. */
TEST(half_of_the_fleet_has_failed_and_more_than_half_is_suspect)
{
    static const struct {
        size_t failing;
        bool suspect;
    } rows[] = {{1, false}, {2, false}, {3, true}, {4, true}};
    EACH_ROW (row, rows) {
        static struct world world;
        world_open(&world, 4);
        world.terms.runs_per_hour = 8;
        world.terms.span_ms = 2 * HOUR;
        world.terms.fleet_window_ms = HOUR;
        fail(&world, row->failing, true);
        world_start(&world);
        world_run(&world, 2 * HOUR - MINUTE);
        /* What was delivered in such an hour is set aside as well. */
        int64_t judged = world_rows(&world, "state", LEDGER_EXECUTED);
        CHECK(judged > 20);
        CHECK_EQ_INT(world_rows(&world, "set_aside", "fleet_failed"),
                     row->suspect ? judged : 0);
        CHECK_EQ_INT(world_runs(&world, "vantage_suspect"),
                     row->suspect ? judged : 0);
        CHECK((world_rows(&world, "measured", "ok") > 0) == (row->failing < 4));
        close_fleet(&world);
    }
}

static void fill_disk(struct world *world)
{
    world->disk_full = world->wall_ms / MINUTE % 60 >= 30;
}

TEST(a_full_disk_begins_nothing_and_loses_nothing)
{
    static struct world world;
    world_open(&world, 10);
    world.minute = fill_disk;
    world.terms.runs_per_hour = 3;
    world.terms.span_ms = 4 * HOUR;
    world_start(&world);
    world_run(&world, 4 * HOUR + 10 * MINUTE);
    CHECK_EQ_INT(world_runs(&world, NULL),
                 world_rows(&world, "state", LEDGER_ENDED) +
                     world_rows(&world, "state", LEDGER_EXECUTED));
    int64_t begun = 0;
    for (size_t i = 0; i < world.count; i++)
        begun += world.list[i].live_runs;
    CHECK_EQ_INT(begun - world.running, world_runs(&world, NULL));
    world_stop(&world);
    struct audit audit = verify_all(&world);
    CHECK_EQ_INT(audit.findings, 0);
    CHECK(audit.skips[SKIP_STORE] > 5);
    world_close(&world);
}

/* ---- being killed -------------------------------------------------------- */

/* What outlives a process: time, and what orchestrators have seen. */
struct afterwards {
    int64_t wall_us;
    int64_t monotonic_us;
    int64_t begun;
    int64_t started; /* rows of runs that were under way at some death ... */
    int64_t ended;   /* ... and of those that waited to be judged */
    uint64_t chance;
};

static struct afterwards *shared;

static void die(struct world *world)
{
    shared->wall_us = world->wall_us;
    shared->monotonic_us = world->monotonic_us;
    shared->chance = world->chance;
    for (size_t i = 0; i < world->count; i++)
        shared->begun += world->list[i].live_runs;
    shared->started += world_rows(world, "state", LEDGER_STARTED);
    shared->ended += world_rows(world, "state", LEDGER_ENDED);
    _exit(9);
}

static void resume(struct world *world)
{
    world_open(world, 10);
    world->terms.runs_per_hour = 3;
    world->terms.span_ms = 8 * HOUR;
    if (!shared->wall_us)
        return;
    /* It was gone for a minute. */
    world->wall_us = shared->wall_us + 60 * INT64_C(1000000);
    world->wall_ms = world->wall_us / 1000;
    world->monotonic_us = shared->monotonic_us + 60 * INT64_C(1000000);
    world->chance = shared->chance;
}

/* One life of a process, which ends after its WRITES-th write; false where it
 * ended otherwise. */
static bool live_until(int writes)
{
    static struct world world;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        resume(&world);
        world.dies_at_write = writes;
        world.dies = die;
        world_start(&world);
        world_run(&world, 20 * HOUR);
        _exit(1);
    }
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 9;
}

TEST(killed_whenever_the_plan_goes_on)
{
    static struct world world;
    int lives = getenv("ASSAY_SOAK") ? 100 : 20;
    uint64_t chance = 7;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(shared != MAP_FAILED);
    for (int i = 0; i < lives; i++) {
        chance = chance * UINT64_C(6364136223846793005) + 1;
        CHECK(live_until(2 + (int)(chance >> 33) % 24));
    }
    resume(&world);
    int64_t begun = shared->begun;
    world_start(&world);
    world_run(&world, 9 * HOUR);
    for (size_t i = 0; i < world.count; i++)
        begun += world.list[i].live_runs;
    int64_t executed = world_rows(&world, "state", LEDGER_ENDED) +
                       world_rows(&world, "state", LEDGER_EXECUTED);
    int64_t interrupted =
        world_rows(&world, "reason", skip_entry(SKIP_INTERRUPTED)->name);
    world_stop(&world);
    struct audit audit = verify_all(&world);
    CHECK_EQ_INT(audit.findings, 0);
    CHECK(audit.revealed >= 1);
    /* What was under way at a death was interrupted; what had ended was not. */
    CHECK(shared->started > 0 && shared->ended > 0);
    CHECK_EQ_INT(interrupted, shared->started);
    /* Whatever an orchestrator saw has its row, and none began twice. */
    CHECK(begun <= executed + interrupted);
    CHECK(begun >= executed);
    world_close(&world);
    munmap(shared, sizeof *shared);
}

/* ---- weeks --------------------------------------------------------------- */

/* KB of this process that no file stands for. */
static int64_t anonymous_kb(void)
{
    char line[128];
    long long kb = 0;
    FILE *status = fopen("/proc/self/status", "r");
    REQUIRE(status);
    while (fgets(line, sizeof line, status))
        (void)sscanf(line, "RssAnon: %lld", &kb);
    fclose(status);
    return kb;
}

static int count_descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    REQUIRE(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

static int64_t store_bytes(void)
{
    char path[256];
    struct stat of;
    snprintf(path, sizeof path, "%s/assay.db", test_path("store"));
    REQUIRE(stat(path, &of) == 0);
    return of.st_size;
}

TEST(weeks_take_no_more_than_days)
{
    static struct world world;
    int days = getenv("ASSAY_SOAK") ? 30 : 3;
    world_open(&world, 6);
    world.minute = crowd;
    world_start(&world);
    world_run(&world, MS_PER_DAY + HOUR);
    int64_t kb = anonymous_kb();
    int64_t bytes = store_bytes();
    int64_t rows = world_rows(&world, "plan_hash", NULL);
    int descriptors = count_descriptors();
    world_run(&world, (days - 1) * (int64_t)MS_PER_DAY);
    CHECK_EQ_INT(count_descriptors(), descriptors);
#ifndef __SANITIZE_ADDRESS__
    /* Pages of the store are held, and blocks of evidence while they are
     * packed: over four months it goes up and down between 5 and 45 MB. */
    CHECK(anonymous_kb() < kb + 16384 + 1024 * days);
#endif
    /* Of the store, what a planned run takes, and nothing beside it. */
    int64_t more = world_rows(&world, "plan_hash", NULL) - rows;
    CHECK(more > 100 * (days - 1));
    CHECK((store_bytes() - bytes) / more < 8192);
    printf("# %lld KB more of memory, %lld bytes of store a planned run\n",
           (long long)(anonymous_kb() - kb),
           (long long)((store_bytes() - bytes) / more));
    size_t most = 0;
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < world.count; i++) {
        most += (size_t)world.list[i].live_runs;
        if (world.list[i].live_runs < least)
            least = world.list[i].live_runs;
    }
    CHECK(least * (int64_t)world.count * 2 > (int64_t)most);
    world_stop(&world);
    struct audit audit = verify_all(&world);
    CHECK_EQ_INT(audit.findings, 0);
    CHECK(audit.revealed >= (size_t)days - 1);
    world_close(&world);
}
