/*
 * metrics.c: /v1/metrics: the registry of metrics and the switches of a lens.
 */
#include "api/api_int.h"

#include "metrics/metrics.h"

enum err answer_metrics(struct request *request, struct reply *reply)
{
    (void)request;
    struct json_writer writer = reply_json(reply);
    json_begin(&writer, '{');
    metrics_write_json(&writer);
    json_key(&writer, "switches");
    lens_departures_write(&writer);
    json_end(&writer, '}');
    return ERR_NONE;
}
