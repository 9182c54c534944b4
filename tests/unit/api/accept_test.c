/*
 * Which of two forms a header Accept wants.
 */
#include "api/serving.h"

#include "harness.h"

TEST(csv_is_sent_to_who_wants_it_more_than_json)
{
    static const struct {
        const char *header;
        bool csv;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"*/*", false},
        {"text/csv", true},
        {"TEXT/CSV", true},
        {"text/*", true},
        {"text/csv;header=present", true},
        {"application/json", false},
        {"text/csv, application/json", false},
        {"text/csv, application/json;q=0.9", true},
        {"text/csv;q=0.8, application/json;q=0.9", false},
        {"text/csv ; q=0.5 , */* ; q=0.1", true},
        {"text/csv;q=0, text/*", false},
        {"application/*;q=0.2,text/csv;q=0.201", true},
        {"text/html, */*;q=0.8", false},
        {"text/csv;q=1.1", false},
        {"text/csv;q=nonsense", false},
        {",,;,text/csv,", true},
        {"text/csvx", false},
    };
    EACH_ROW (row, rows)
        CHECK(prefers_csv(row->header) == row->csv);
}
