/*
 * alerts/apiv2.h - Alertmanager's API, version 2.
 * One job: a request on alerts, groups, silences, receivers, status in; its JSON answer out.
 * Floor: 4 (uses base).  HTTP itself is the api room's.
 */
#pragma once

#include "alerts/dispatch.h"
#include "alerts/request.h"

struct apiv2 {
	struct dispatch *dispatch;
	struct silences *silences;
	const struct routing *routing;
	struct wall started;
	bool changed; /* out: a step should be made soon (and state saved) before it is answered */
};
/** apiv2_answer(api, req, now, ret): false: no such path. */
bool apiv2_answer(struct apiv2 *api, const struct api_request *req, struct wall now,
    struct api_answer *ret);
