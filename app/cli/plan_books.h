/*
 * plan_books.h: the actions of `assay plan` on plans that are written down.
 * Private to that command.
 */
#ifndef ASSAY_CLI_PLAN_BOOKS_H
#define ASSAY_CLI_PLAN_BOOKS_H

#include "cli/cli.h"

MUST_USE enum err plan_show(struct invocation *invocation);
MUST_USE enum err plan_verify_stored(struct invocation *invocation);
MUST_USE enum err plan_audit(struct invocation *invocation);

#endif
