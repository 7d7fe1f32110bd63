/*
 * daemon/rules.h - the rules' thread.
 * One job: run the alerts beside the loop, and carry times, events, requests and reloads between the two.
 * Floor: 6 (uses alerts, config, base).
 *
 *   loop --committed time, sources, other rules--> thread --eventfd: events, requests that may be asked again--> loop
 *
 * The loop never waits for the thread: what it asks for while a step is busy it asks again when told to.
 */
#pragma once

#include "alerts/alerts.h"
#include "config/config.h"

struct daemon;
struct rules;

/** rules_prepare(c, ret_set, ret_routing): what the configuration names.  > 0: it was said what is wrong. */
int rules_prepare(const struct config *c, struct rule_set **ret_set, struct routing **ret_routing);

/** rules_wanted(c): whether the configuration has rules or routing. */
bool rules_wanted(const struct config *c);

/** rules_start(d, set, routing): takes both.  A failure is said; then there are no rules. */
void rules_start(struct daemon *d, struct rule_set *set, struct routing *routing);

/** rules_reload(d, set, routing): by and by; takes both. */
void rules_reload(struct daemon *d, struct rule_set *set, struct routing *routing);

/** rules_stop(r, until): NULL; a thread that is still busy then is left alone, with all that is its. */
struct rules *rules_stop(struct rules *r, struct span until);

/** rules_busy(d): the loop begins to read: what was written until now may not be in the store. */
void rules_busy(struct daemon *d);
/** rules_turned(d, began): the end of a turn that began then. */
void rules_turned(struct daemon *d, struct wall began);
/** rules_committed(d): the commit that a turn made is durable. */
void rules_committed(struct daemon *d);

/** rules_events(d): events of the thread as rows of the next commit.  rules_rewind(d): those of the last were given up. */
int rules_events(struct daemon *d);
void rules_rewind(struct daemon *d);

/** rules_request(ctx, req, ret): api_ops.request; ctx is the daemon. */
int rules_request(void *ctx, const struct api_request *req, struct api_answer *ret);

/** rules_metrics(d, out), rules_status(d, out): as of now, or as of the last time when a step is busy. */
void rules_metrics(struct daemon *d, struct buf *out);
void rules_status(struct daemon *d, struct buf *out);
