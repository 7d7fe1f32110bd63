/*
 * alerts/webhook_answer.h - what an answer asks for.
 * One job: which answers are worth another try.
 * Floor: 4 (uses base).
 */
#pragma once

#include "alerts/webhook.h"

bool webhook_code_is_later(long code);
