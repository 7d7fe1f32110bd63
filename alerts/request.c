/*
 * alerts/request.c - a request without HTTP.
 * One job: parameters by name.
 * Floor: 4 (uses base).
 */
#include "alerts/request.h"

bool
api_param(const struct api_request *req, const char *name, struct str *ret)
{
	size_t i;

	for (i = 0; i < req->n_params; i++)
		if (str_eq_c(req->params[i].name, name)) {
			*ret = req->params[i].value;
			return true;
		}
	return false;
}
