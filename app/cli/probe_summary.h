/*
 * probe_summary.h: what a person sees of a measurement.
 */
#ifndef ASSAY_CLI_PROBE_SUMMARY_H
#define ASSAY_CLI_PROBE_SUMMARY_H

#include "probe/probe.h"

#include <stdio.h>

/* The whole of one result: verdict, timeline, figures, offer. */
void probe_summary_print(FILE *out, const struct probe_result *result);

/* One line of it, for where many are printed. */
void probe_summary_line(FILE *out, const struct probe_result *result);

#endif
