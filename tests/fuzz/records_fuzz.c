/*
 * records_fuzz.c: any bytes as a file of records, plain, gzip or zstd. However
 * the bytes come in, the records are the same, and none is blank; only the tail
 * of damaged input may differ.
 */
#include "ingest/ingest.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_OUT_BYTES = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

struct input {
    const uint8_t *at;
    size_t left;
    size_t step;
    char *copy;
    uint64_t records;
    struct buf out; /* the beginning of all records */
};

static enum err feed(void *context, const char **bytes, size_t *length)
{
    struct input *input = context;
    *length = input->left < input->step ? input->left : input->step;
    free(input->copy);
    input->copy = memory_alloc(*length); /* exactly as much */
    memcpy(input->copy, input->at, *length);
    input->at += *length;
    input->left -= *length;
    *bytes = input->copy;
    return ERR_NONE;
}

static enum err take(void *context, struct text record)
{
    struct input *input = context;
    bool blank = true;
    for (size_t i = 0; i < record.length && blank; i++)
        blank = record.data[i] && strchr(" \t\r\n", record.data[i]);
    must(!blank && record.length <= EVIDENCE_LINE_MAX_BYTES);
    input->records++;
    if (input->out.length + record.length < MOST_OUT_BYTES) {
        buf_add_varint(&input->out, record.length);
        buf_add(&input->out, record.data, record.length);
    }
    return ERR_NONE;
}

static enum err take_oversize(void *context, struct text kept, uint64_t length,
                              const uint8_t sha256[SHA256_BYTES])
{
    struct input *input = context;
    must(kept.length == EVIDENCE_KEPT_BYTES);
    must(length > EVIDENCE_LINE_MAX_BYTES);
    input->records++;
    buf_add(&input->out, sha256, SHA256_BYTES);
    return ERR_NONE;
}

static struct reader_report read_all(struct input *input)
{
    const struct byte_source source = {input, feed};
    const struct record_sink sink = {input, take, take_oversize};
    struct reader_report report;
    must(read_records(&source, &sink, &report) == ERR_NONE);
    must(report.records == input->records);
    free(input->copy);
    return report;
}

static void must_be_equal(const struct input *a, const struct input *b)
{
    must(a->records == b->records && a->out.length == b->out.length);
    must(!a->out.length || !memcmp(a->out.data, b->out.data, a->out.length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input whole = {.at = data, .left = size, .step = size + 1};
    struct input slow = {.at = data, .left = size};
    slow.step = size ? data[size - 1] % 5u + 1 : 1;
    struct reader_report first = read_all(&whole);
    struct reader_report second = read_all(&slow);
    must(!strcmp(first.compression, second.compression));
    must(first.truncated == second.truncated);
    /* How much of a damaged frame comes out depends on how it came in. */
    if (!first.truncated)
        must_be_equal(&whole, &slow);
    buf_free(&whole.out);
    buf_free(&slow.out);
    return 0;
}
