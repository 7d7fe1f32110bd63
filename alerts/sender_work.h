/*
 * alerts/sender_work.h - a job at work.
 * One job: run a job in its own process, within its time, and answer for it.
 * Floor: 4 (uses base).
 */
#pragma once

#include "alerts/sender_proto.h"

/** send_work_run(w): the whole of it; w->until is set here. */
void send_work_run(struct send_work *w);
