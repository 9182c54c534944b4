/*
 * harness.c: runs the registered tests one process at a time.
 *
 *   unit [PATTERN]
 *
 * prints "ok room/file: test" or "not ok ...", after the lines that say what
 * was wrong, for every test whose full name contains PATTERN, and exits 1 if
 * one failed. The child ends through exit(), so that the leak check runs.
 */
#include "harness.h"

#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIME_LIMIT_SECONDS = 120, FAILURES_SHOWN = 20, PATH_BYTES = 512 };

static struct test *tests; /* in the order of their names */
static char base[PATH_BYTES];
static char folder[PATH_BYTES];

/* Of the test that runs. */
static jmp_buf abandon;
static size_t failures;
static size_t row_number; /* from 1; 0 outside a table */

/* "tests/unit/stats/sketch_test.c" becomes "stats/sketch". */
static void full_name(const struct test *test, char *out, size_t bytes)
{
    static const char root[] = "tests/unit/";
    const char *start = strstr(test->file, root);
    start = start != NULL ? start + sizeof(root) - 1 : test->file;
    const char *end = strstr(start, "_test.c");
    int length = (int)(end != NULL ? (size_t)(end - start) : strlen(start));
    snprintf(out, bytes, "%.*s: %s", length, start, test->name);
}

static int compare(const struct test *a, const struct test *b)
{
    char left[PATH_BYTES], right[PATH_BYTES];
    full_name(a, left, sizeof(left));
    full_name(b, right, sizeof(right));
    return strcmp(left, right);
}

void test_register(struct test *test)
{
    struct test **at = &tests;
    while (*at != NULL && compare(*at, test) < 0) {
        at = &(*at)->next;
    }
    test->next = *at;
    *at = test;
}

/* ---- checks ---- */

__attribute__((format(printf, 3, 4))) static bool
fail(const char *file, int line, const char *format, ...)
{
    failures++;
    if (failures > FAILURES_SHOWN) {
        return false;
    }
    printf("# %s:%d: ", file, line);
    if (row_number > 0) {
        printf("row %zu: ", row_number);
    }
    va_list arguments;
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    return false;
}

bool test_at_row(size_t at, size_t count)
{
    row_number = at < count ? at + 1 : 0;
    return at < count;
}

bool test_check(bool condition, const char *file, int line, const char *text)
{
    return condition || fail(file, line, "not true: %s", text);
}

void test_require(bool condition, const char *file, int line, const char *text)
{
    if (!condition) {
        if (text != NULL) {
            fail(file, line, "not true: %s", text);
        }
        longjmp(abandon, 1);
    }
}

bool test_equal_int(intmax_t got, intmax_t wanted, const char *file, int line,
                    const char *text)
{
    return got == wanted ||
           fail(file, line, "%s is %" PRIdMAX ", not %" PRIdMAX, text, got,
                wanted);
}

static uint64_t bits_of(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
}

bool test_equal_double(double got, double wanted, const char *file, int line,
                       const char *text)
{
    bool both_nan = __builtin_isnan(got) && __builtin_isnan(wanted);
    return both_nan || bits_of(got) == bits_of(wanted) ||
           fail(file, line, "%s is %.17g, not %.17g", text, got, wanted);
}

static const char *quoted(const char *text)
{
    return text != NULL ? text : "(null)";
}

bool test_equal_text(const char *got, const char *wanted, const char *file,
                     int line, const char *text)
{
    if (got == wanted ||
        (got != NULL && wanted != NULL && strcmp(got, wanted) == 0)) {
        return true;
    }
    return fail(file, line, "%s is\n#   %s\n# not\n#   %s", text, quoted(got),
                quoted(wanted));
}

bool test_equal_memory(const void *got, const void *wanted, size_t bytes,
                       const char *file, int line, const char *text)
{
    const unsigned char *a = got, *b = wanted;
    for (size_t at = 0; at < bytes; at++) {
        if (a[at] != b[at]) {
            return fail(file, line, "%s differs at byte %zu: %02x, not %02x",
                        text, at, a[at], b[at]);
        }
    }
    return true;
}

bool test_equal_err(enum err got, enum err wanted, const char *file, int line,
                    const char *text)
{
    return got == wanted || fail(file, line, "%s is error %d, not %d: %s", text,
                                 (int)got, (int)wanted, err_message());
}

/* ---- folders ---- */

const char *test_folder(void)
{
    mkdir(folder, 0700); /* exists from the second call on */
    return folder;
}

const char *test_path(const char *name)
{
    static char paths[8][2 * PATH_BYTES];
    static size_t next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", test_folder(), name);
    return path;
}

static int remove_entry(const char *path, const struct stat *status, int flag,
                        struct FTW *walk)
{
    (void)status, (void)flag, (void)walk;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_base(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(base, sizeof(base), "%s/assay-unit-XXXXXX",
             parent != NULL ? parent : "/tmp");
    if (mkdtemp(base) == NULL) {
        perror(base);
        exit(2);
    }
    snprintf(folder, sizeof(folder), "%.*s/test", PATH_BYTES - 8, base);
}

/* ---- running ---- */

__attribute__((noreturn)) static void run_child(const struct test *test)
{
    alarm(TIME_LIMIT_SECONDS);
    if (setjmp(abandon) == 0) {
        test->body();
    }
    if (failures > FAILURES_SHOWN) {
        printf("# and %zu more\n", failures - FAILURES_SHOWN);
    }
    fflush(stdout);
    if (failures > 0) {
        _exit(1); /* a test that was abandoned leaks, which says nothing */
    }
    exit(0);
}

static const char *verdict_of(int status, char *bytes, size_t length)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) {
        return "took too long";
    }
    if (WIFSIGNALED(status)) {
        snprintf(bytes, length, "killed by signal %d", WTERMSIG(status));
        return bytes;
    }
    if (WEXITSTATUS(status) > 1) {
        snprintf(bytes, length, "ended with %d", WEXITSTATUS(status));
        return bytes;
    }
    return WEXITSTATUS(status) == 1 ? "a check failed" : NULL;
}

static bool run(const struct test *test, const char *name)
{
    char bytes[64];
    int status = 0;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        run_child(test);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("unit");
        exit(2);
    }
    remove_tree(folder);
    const char *verdict = verdict_of(status, bytes, sizeof(bytes));
    if (verdict == NULL) {
        printf("ok %s\n", name);
    } else {
        printf("not ok %s: %s\n", name, verdict);
    }
    return verdict == NULL;
}

int main(int argument_count, char **arguments)
{
    const char *pattern = argument_count > 1 ? arguments[1] : "";
    bool all_passed = true;
    make_base();
    for (const struct test *test = tests; test != NULL; test = test->next) {
        char name[PATH_BYTES];
        full_name(test, name, sizeof(name));
        if (strstr(name, pattern) != NULL) {
            all_passed = run(test, name) && all_passed;
        }
    }
    remove_tree(base);
    return all_passed ? 0 : 1;
}
