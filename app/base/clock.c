/*
 * clock.c: see clock.h. Calendar arithmetic counts days in 400-year cycles
 * that start on 1 March, so that the leap day is the last of its year.
 */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * MS_PER_SECOND + now.tv_nsec / 1000000;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t floor_to(int64_t ms, int64_t unit)
{
    int64_t rest = ms % unit;
    return ms - (rest < 0 ? rest + unit : rest);
}

/* 2024-01-01 and 2100-01-01. */
static const int64_t first_sane_ms = 1704067200000;
static const int64_t last_sane_ms = 4102444800000;

enum { SLACK_MS = 5 * MS_PER_MINUTE };

enum clock_fault clock_fault(int64_t now_ms, int64_t last_ms)
{
    if (now_ms < first_sane_ms || now_ms > last_sane_ms)
        return CLOCK_NEVER_SET;
    return last_ms > now_ms + SLACK_MS ? CLOCK_WENT_BACK : CLOCK_FINE;
}

int64_t clock_hour_start(int64_t ms)
{
    return floor_to(ms, MS_PER_HOUR);
}

int64_t clock_day_start(int64_t ms)
{
    return floor_to(ms, MS_PER_DAY);
}

enum { DAYS_PER_CYCLE = 146097, DAYS_TO_1970 = 719468 };

static int64_t days_from_date(int64_t year, int month, int day)
{
    if (month <= 2)
        year--;
    int64_t cycle = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_cycle = year - cycle * 400;
    int64_t day_of_year =
        (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 -
                           year_of_cycle / 100 + day_of_year;
    return cycle * DAYS_PER_CYCLE + day_of_cycle - DAYS_TO_1970;
}

static void date_from_days(int64_t days, int *year, int *month, int *day)
{
    days += DAYS_TO_1970;
    int64_t cycle =
        (days >= 0 ? days : days - DAYS_PER_CYCLE + 1) / DAYS_PER_CYCLE;
    int64_t of_cycle = days - cycle * DAYS_PER_CYCLE;
    int64_t year_of_cycle =
        (of_cycle - of_cycle / 1460 + of_cycle / 36524 - of_cycle / 146096) /
        365;
    int64_t of_year = of_cycle - (365 * year_of_cycle + year_of_cycle / 4 -
                                  year_of_cycle / 100);
    int64_t shifted = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(year_of_cycle + cycle * 400 + (*month <= 2));
}

/* 0000-01-01 and 9999-12-31T23:59:59.999. */
static const int64_t EARLIEST_MS = -62167219200000;
static const int64_t LATEST_MS = 253402300799999;

/* COUNT digits of VALUE, zeros in front; returns the end. */
static char *put_digits(char *at, int value, int count)
{
    for (int i = count - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + count;
}

static char *put_number(char *at, int value, int count, char behind)
{
    at = put_digits(at, value, count);
    *at++ = behind;
    return at;
}

static char *print_time(int64_t ms, char bytes[CLOCK_TEXT_BYTES], bool with_ms)
{
    if (ms < EARLIEST_MS)
        ms = EARLIEST_MS;
    if (ms > LATEST_MS)
        ms = LATEST_MS;
    int64_t day_start = clock_day_start(ms);
    int of_day = (int)(ms - day_start);
    int year;
    int month;
    int day;
    date_from_days(day_start / MS_PER_DAY, &year, &month, &day);
    char *at = put_number(bytes, year, 4, '-');
    at = put_number(at, month, 2, '-');
    at = put_number(at, day, 2, 'T');
    at = put_number(at, of_day / MS_PER_HOUR, 2, ':');
    at = put_number(at, of_day / MS_PER_MINUTE % 60, 2, ':');
    at = put_number(at, of_day / MS_PER_SECOND % 60, 2, with_ms ? '.' : 'Z');
    if (with_ms)
        at = put_number(at, of_day % MS_PER_SECOND, 3, 'Z');
    *at = '\0';
    return bytes;
}

char *clock_text_ms(int64_t ms, char bytes[CLOCK_TEXT_BYTES])
{
    return print_time(ms, bytes, true);
}

char *clock_text_s(int64_t ms, char bytes[CLOCK_TEXT_BYTES])
{
    return print_time(ms, bytes, false);
}

struct scanner {
    const char *at;
    const char *end;
};

static bool digits(struct scanner *scanner, int count, int *value)
{
    if (scanner->end - scanner->at < count)
        return false;
    *value = 0;
    for (int i = 0; i < count; i++) {
        char c = *scanner->at;
        if (c < '0' || c > '9')
            return false;
        *value = *value * 10 + (c - '0');
        scanner->at++;
    }
    return true;
}

static bool one_of(struct scanner *scanner, const char *set)
{
    if (scanner->at == scanner->end || !*scanner->at ||
        !strchr(set, *scanner->at))
        return false;
    scanner->at++;
    return true;
}

static bool scan_date(struct scanner *scanner, int64_t *days)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30,
                                  31, 31, 30, 31, 30, 31};
    int year;
    int month;
    int day;
    if (!digits(scanner, 4, &year) || !one_of(scanner, "-") ||
        !digits(scanner, 2, &month) || !one_of(scanner, "-") ||
        !digits(scanner, 2, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1] ||
        (month == 2 && day == 29 && !leap))
        return false;
    *days = days_from_date(year, month, day);
    return true;
}

/* One to nine digits after the point; the first three count, the rest is cut.
 */
static bool scan_fraction(struct scanner *scanner, int *ms)
{
    int scale = 100;
    const char *first = scanner->at;
    *ms = 0;
    while (scanner->at < scanner->end && *scanner->at >= '0' &&
           *scanner->at <= '9') {
        *ms += (*scanner->at - '0') * scale;
        scale /= 10;
        scanner->at++;
    }
    return scanner->at > first && scanner->at - first <= 9;
}

static bool scan_time(struct scanner *scanner, int64_t *ms)
{
    int hour;
    int minute;
    int second = 0;
    int fraction = 0;
    if (!digits(scanner, 2, &hour) || !one_of(scanner, ":") ||
        !digits(scanner, 2, &minute))
        return false;
    if (one_of(scanner, ":")) {
        if (!digits(scanner, 2, &second))
            return false;
        if (one_of(scanner, ".,") && !scan_fraction(scanner, &fraction))
            return false;
    }
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *ms = (int64_t)hour * MS_PER_HOUR + (int64_t)minute * MS_PER_MINUTE +
          (int64_t)second * MS_PER_SECOND + fraction;
    return true;
}

static bool scan_offset(struct scanner *scanner, int64_t *ms)
{
    int hours;
    int minutes = 0;
    *ms = 0;
    if (scanner->at == scanner->end || one_of(scanner, "zZ"))
        return true;
    bool west = *scanner->at == '-';
    if (!one_of(scanner, "+-") || !digits(scanner, 2, &hours))
        return false;
    bool colon = one_of(scanner, ":");
    if ((colon || scanner->at < scanner->end) && !digits(scanner, 2, &minutes))
        return false;
    if (hours > 23 || minutes > 59)
        return false;
    *ms = (int64_t)hours * MS_PER_HOUR + (int64_t)minutes * MS_PER_MINUTE;
    if (west)
        *ms = -*ms;
    return true;
}

bool clock_parse(const char *text, size_t length, int64_t *ms)
{
    struct scanner scanner = {text, text + length};
    int64_t days;
    int64_t of_day = 0;
    int64_t offset = 0;
    if (!scan_date(&scanner, &days))
        return false;
    if (scanner.at < scanner.end) {
        if (!one_of(&scanner, "Tt ") || !scan_time(&scanner, &of_day) ||
            !scan_offset(&scanner, &offset))
            return false;
    }
    if (scanner.at != scanner.end)
        return false;
    *ms = days * MS_PER_DAY + of_day - offset;
    return true;
}
