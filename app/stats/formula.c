/*
 * formula.c: see formula.h. A recursive descent over the text, one function a
 * level of binding: comparison, sum, product, sign, atom.
 */
#include "stats/formula.h"

#include "stats/stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

enum step_kind {
    STEP_NUMBER,
    STEP_NAME,
    STEP_NEGATE,
    STEP_ADD,
    STEP_SUBTRACT,
    STEP_MULTIPLY,
    STEP_DIVIDE,
    STEP_LESS,
    STEP_LESS_EQUAL,
    STEP_GREATER,
    STEP_GREATER_EQUAL,
    STEP_EQUAL,
    STEP_NOT_EQUAL,
    STEP_MIN,
    STEP_MAX,
    STEP_CLAMP,
    STEP_EXP,
    STEP_LN,
    STEP_SQRT,
    STEP_ABS,
    STEP_POW,
    STEP_ROUND,
    STEP_IF,
    STEP_KNOWN,
    STEP_OR_ELSE,
    STEP_WILSON_LOW,
    STEP_WILSON_HIGH
};

struct function {
    const char *name;
    enum step_kind kind;
    unsigned arguments;
};

static const struct function functions[] = {
    {"min", STEP_MIN, 2},
    {"max", STEP_MAX, 2},
    {"clamp", STEP_CLAMP, 1}, /* to 0 .. 1 */
    {"exp", STEP_EXP, 1},
    {"ln", STEP_LN, 1},
    {"sqrt", STEP_SQRT, 1},
    {"abs", STEP_ABS, 1},
    {"pow", STEP_POW, 2},
    {"round", STEP_ROUND, 2}, /* to so many decimals, halves away from zero */
    {"if", STEP_IF, 3},       /* a condition of 0 or null takes the last */
    {"known", STEP_KNOWN, 1},
    {"or_else", STEP_OR_ELSE, 2},
    /* Wilson's interval at 95 percent: successes, of how many. */
    {"wilson_low", STEP_WILSON_LOW, 2},
    {"wilson_high", STEP_WILSON_HIGH, 2},
};

/* ---- compiling ----------------------------------------------------------- */

enum { STEPS_MAX = FORMULA_MAX_BYTES };
#define WILSON_LEVEL 0.95

struct compiler {
    const char *start;
    const char *at;
    const char *end;
    const char *const *names;
    size_t name_count;
    struct formula_step *steps; /* STEPS_MAX */
    size_t count;
    unsigned depth; /* of the text */
    unsigned stack; /* what the steps so far leave on it */
    enum err err;
};

static void fail(struct compiler *compiler, const char *what)
{
    if (!compiler->err)
        compiler->err = err_set(ERR_INPUT, "%s at character %td", what,
                                compiler->at - compiler->start + 1);
}

static void skip_space(struct compiler *compiler)
{
    while (compiler->at < compiler->end && memchr(" \t\r\n", *compiler->at, 4))
        compiler->at++;
}

/* Whether WORD comes next, which is taken then. */
static bool take(struct compiler *compiler, const char *word)
{
    size_t length = strlen(word);
    skip_space(compiler);
    if ((size_t)(compiler->end - compiler->at) < length ||
        memcmp(compiler->at, word, length) != 0)
        return false;
    compiler->at += length;
    return true;
}

static void emit(struct compiler *compiler, struct formula_step step)
{
    if (compiler->count == STEPS_MAX) {
        fail(compiler, "the formula is too long");
        return;
    }
    compiler->steps[compiler->count++] = step;
    compiler->stack += 1 - (unsigned)step.count;
    if (compiler->stack > FORMULA_DEPTH_MAX)
        fail(compiler, "it nests too deep");
}

static void emit_kind(struct compiler *compiler, enum step_kind kind,
                      unsigned arguments)
{
    emit(compiler, (struct formula_step){.kind = (uint16_t)kind,
                                         .count = (uint16_t)arguments});
}

static void comparison(struct compiler *compiler);

static bool in_name(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static void call(struct compiler *compiler, struct text name)
{
    const struct function *function = functions;
    const struct function *end = functions + COUNT_OF(functions);
    while (function < end && !text_is(name, function->name))
        function++;
    if (function == end) {
        fail(compiler, "there is no such function");
        return;
    }
    unsigned given = 0;
    do {
        comparison(compiler);
        given++;
    } while (!compiler->err && take(compiler, ","));
    if (!compiler->err && !take(compiler, ")"))
        fail(compiler, "a closing parenthesis is missing");
    else if (!compiler->err && given != function->arguments)
        fail(compiler, "the function takes another number of arguments");
    else if (!compiler->err)
        emit_kind(compiler, function->kind, given);
}

static void name_or_call(struct compiler *compiler)
{
    const char *start = compiler->at;
    while (compiler->at < compiler->end && in_name(*compiler->at))
        compiler->at++;
    struct text name = {start, (size_t)(compiler->at - start)};
    if (take(compiler, "(")) {
        call(compiler, name);
        return;
    }
    for (uint32_t i = 0; i < compiler->name_count; i++) {
        if (text_is(name, compiler->names[i])) {
            emit(compiler, (struct formula_step){.kind = STEP_NAME, .name = i});
            return;
        }
    }
    compiler->at = start;
    fail(compiler, "there is no such name");
}

static void number(struct compiler *compiler)
{
    char digits[FORMULA_NAME_MAX_BYTES];
    size_t length = 0;
    while (compiler->at < compiler->end && length < sizeof digits - 1 &&
           memchr("0123456789.", *compiler->at, 11))
        digits[length++] = *compiler->at++;
    digits[length] = '\0';
    char *end;
    double value = strtod(digits, &end);
    if (*end || !length || !isfinite(value))
        fail(compiler, "this is no number");
    else
        emit(compiler,
             (struct formula_step){.kind = STEP_NUMBER, .number = value});
}

static void atom(struct compiler *compiler)
{
    skip_space(compiler);
    if (compiler->at == compiler->end) {
        fail(compiler, "something is missing");
        return;
    }
    char c = *compiler->at;
    if (take(compiler, "(")) {
        comparison(compiler);
        if (!compiler->err && !take(compiler, ")"))
            fail(compiler, "a closing parenthesis is missing");
    } else if (c == '.' || (c >= '0' && c <= '9')) {
        number(compiler);
    } else if (in_name(c)) {
        name_or_call(compiler);
    } else {
        fail(compiler, "this is no number, name or parenthesis");
    }
}

/* The one place through which every nesting goes. */
static void sign(struct compiler *compiler)
{
    if (++compiler->depth > FORMULA_DEPTH_MAX)
        fail(compiler, "it nests too deep");
    if (!compiler->err && take(compiler, "-")) {
        sign(compiler);
        if (!compiler->err)
            emit_kind(compiler, STEP_NEGATE, 1);
    } else if (!compiler->err) {
        atom(compiler);
    }
    compiler->depth--;
}

static void product(struct compiler *compiler)
{
    sign(compiler);
    while (!compiler->err) {
        bool times = take(compiler, "*");
        if (!times && !take(compiler, "/"))
            return;
        sign(compiler);
        emit_kind(compiler, times ? STEP_MULTIPLY : STEP_DIVIDE, 2);
    }
}

static void sum(struct compiler *compiler)
{
    product(compiler);
    while (!compiler->err) {
        bool plus = take(compiler, "+");
        if (!plus && !take(compiler, "-"))
            return;
        product(compiler);
        emit_kind(compiler, plus ? STEP_ADD : STEP_SUBTRACT, 2);
    }
}

static void comparison(struct compiler *compiler)
{
    static const struct {
        const char *word;
        enum step_kind kind;
    } signs[] = {{"<=", STEP_LESS_EQUAL}, {">=", STEP_GREATER_EQUAL},
                 {"==", STEP_EQUAL},      {"!=", STEP_NOT_EQUAL},
                 {"<", STEP_LESS},        {">", STEP_GREATER}};
    sum(compiler);
    for (size_t i = 0; !compiler->err && i < COUNT_OF(signs); i++) {
        if (!take(compiler, signs[i].word))
            continue;
        sum(compiler);
        if (!compiler->err)
            emit_kind(compiler, signs[i].kind, 2);
        return;
    }
}

enum err formula_compile(struct arena *arena, struct text text,
                         const char *const *names, size_t name_count,
                         struct formula *formula)
{
    *formula = (struct formula){0};
    if (text.length > FORMULA_MAX_BYTES)
        return err_set(ERR_INPUT, "a formula has at most %d characters",
                       FORMULA_MAX_BYTES);
    struct compiler compiler = {
        .start = text.data,
        .at = text.data,
        .end = text.data + text.length,
        .names = names,
        .name_count = name_count,
        .steps = memory_alloc(STEPS_MAX * sizeof *compiler.steps)};
    comparison(&compiler);
    skip_space(&compiler);
    if (!compiler.err && compiler.at != compiler.end)
        fail(&compiler, "the formula should end");
    formula->count = compiler.count;
    formula->steps = arena_array(arena, compiler.count, sizeof *formula->steps);
    memcpy(formula->steps, compiler.steps,
           compiler.count * sizeof *formula->steps);
    free(compiler.steps);
    return compiler.err;
}

/* ---- computing ----------------------------------------------------------- */

static double truth(bool is_so)
{
    return is_so ? 1 : 0;
}

/* Halves away from zero, as the published tables round. */
static double rounded(double value, double decimals)
{
    double scale = pow(10, decimals);
    return round(value * scale) / scale;
}

/* Where one argument is null. */
static double with_null(enum step_kind kind, const double *x)
{
    if (kind == STEP_KNOWN)
        return truth(!isnan(x[0]));
    if (kind == STEP_OR_ELSE)
        return isnan(x[0]) ? x[1] : x[0];
    if (kind == STEP_IF)
        return isnan(x[0]) || x[0] == 0 ? x[2] : x[1];
    return (double)NAN;
}

static double with_two(enum step_kind kind, double a, double b)
{
    switch (kind) {
    case STEP_ADD:
        return a + b;
    case STEP_SUBTRACT:
        return a - b;
    case STEP_MULTIPLY:
        return a * b;
    case STEP_DIVIDE:
        return a / b;
    case STEP_LESS:
        return truth(a < b);
    case STEP_LESS_EQUAL:
        return truth(a <= b);
    case STEP_GREATER:
        return truth(a > b);
    case STEP_GREATER_EQUAL:
        return truth(a >= b);
    case STEP_EQUAL:
        return truth(a == b);
    case STEP_NOT_EQUAL:
        return truth(a != b);
    case STEP_MIN:
        return a < b ? a : b;
    case STEP_MAX:
        return a > b ? a : b;
    case STEP_POW:
        return pow(a, b);
    case STEP_ROUND:
        return rounded(a, b);
    default:
        return (double)NAN;
    }
}

static double with_one(enum step_kind kind, double a)
{
    switch (kind) {
    case STEP_NEGATE:
        return -a;
    case STEP_CLAMP:
        return a < 0 ? 0 : a > 1 ? 1 : a;
    case STEP_EXP:
        return exp(a);
    case STEP_LN:
        return log(a);
    case STEP_SQRT:
        return sqrt(a);
    case STEP_ABS:
        return fabs(a);
    default:
        return (double)NAN;
    }
}

static double wilson_end(enum step_kind kind, double successes, double count)
{
    if (!(count > 0) || successes < 0 || successes > count)
        return (double)NAN;
    struct interval interval = rate_wilson(successes, count, WILSON_LEVEL);
    return kind == STEP_WILSON_LOW ? interval.low : interval.high;
}

static double result_of(const struct formula_step *step, const double *x)
{
    enum step_kind kind = (enum step_kind)step->kind;
    bool has_null = false;
    for (unsigned i = 0; i < step->count; i++)
        has_null |= isnan(x[i]);
    if (has_null || kind == STEP_KNOWN || kind == STEP_OR_ELSE ||
        kind == STEP_IF)
        return with_null(kind, x);
    if (kind == STEP_WILSON_LOW || kind == STEP_WILSON_HIGH)
        return wilson_end(kind, x[0], x[1]);
    return step->count == 2 ? with_two(kind, x[0], x[1]) : with_one(kind, x[0]);
}

double formula_value(const struct formula *formula, const double *values)
{
    double stack[FORMULA_DEPTH_MAX + 1];
    size_t height = 0;
    for (size_t i = 0; i < formula->count; i++) {
        const struct formula_step *step = &formula->steps[i];
        double value = step->number;
        if (step->kind == STEP_NAME)
            value = values[step->name];
        else if (step->kind != STEP_NUMBER)
            value = result_of(step, stack + height - step->count);
        height -= step->count;
        stack[height++] = isfinite(value) ? value : (double)NAN;
    }
    return height ? stack[0] : (double)NAN;
}
