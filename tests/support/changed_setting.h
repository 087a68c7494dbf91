#pragma once

#include "pretrained/pretrained_model.h"

namespace asap::test {

/// Changes the configuration that a pretrained model brings, "model.patch=2"; UsageError if its
/// weights do not allow that.
inline void change_setting(const pretrained::PretrainedModel& model, const char* assignment) {
  config::TrainConfig config = pretrained::initial_config(model);
  config::set_field(config, assignment);
  pretrained::require_own_network(model, config, "test");
}

}  // namespace asap::test
