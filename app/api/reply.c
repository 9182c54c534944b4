/*
 * reply.c: answers in JSON, and problems as RFC 9457 describes them: a title
 * that belongs to the status, a detail for this very request, and the
 * parameter that is wrong where it is one.
 */
#include "api/api_int.h"

const char *status_text(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 304:
        return "Not Modified";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 410:
        return "Gone";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 415:
        return "Unsupported Media Type";
    case 421:
        return "Misdirected Request";
    case 422:
        return "Unprocessable Content";
    case 429:
        return "Too Many Requests";
    case 431:
        return "Request Header Fields Too Large";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return status < 500 ? "Bad Request" : "Internal Server Error";
    }
}

struct json_writer reply_json(struct reply *reply)
{
    buf_clear(reply->body);
    reply->status = 200;
    reply->content_type = "application/json";
    reply->cache_control = "no-cache";
    reply->borrowed = (struct text){0};
    reply->etag = NULL;
    reply->retry_after_s = 0;
    reply->gzip = false;
    reply->varies = false;
    reply->varies_by_accept = false;
    reply->link = NULL;
    reply->cursor = NULL;
    reply->is_list = false;
    reply->rows = 0;
    reply->location = NULL;
    return (struct json_writer){.out = reply->body};
}

void reply_problem(struct reply *reply, int status, const char *detail,
                   struct text wrong)
{
    struct json_writer writer = reply_json(reply);
    reply->status = status;
    reply->content_type = "application/problem+json";
    reply->cache_control = "no-store";
    reply->retry_after_s = status == 503 || status == 429;
    json_begin(&writer, '{');
    json_key(&writer, "type");
    json_string(&writer, "about:blank");
    json_key(&writer, "title");
    json_string(&writer, status_text(status));
    json_key(&writer, "status");
    json_int(&writer, status);
    json_key(&writer, "detail");
    json_string(&writer, detail);
    if (wrong.data) {
        json_key(&writer, "parameter");
        json_text(&writer, wrong);
    }
    json_end(&writer, '}');
}

static int status_of(enum err err)
{
    switch (err) {
    case ERR_USAGE:
    case ERR_INPUT:
        return 400;
    case ERR_ABSENT:
        return 404;
    case ERR_GONE:
        return 410;
    case ERR_LARGE:
        return 422;
    case ERR_STORE:
    case ERR_LOCKED:
    case ERR_FULL:
    case ERR_STOPPED:
        return 503;
    default:
        return 500;
    }
}

void reply_err(struct reply *reply, enum err err, struct text wrong)
{
    reply_problem(reply, status_of(err), err_message(), wrong);
}
