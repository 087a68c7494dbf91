#pragma once

#include "config/data_config.h"

namespace asap::test {

inline config::DataConfig matching_config(double noise) {
  config::DataConfig config;
  config.kind = config::DataKind::matching;
  config.classes = 5;
  config.matching = {
      .examples = 20, .test_examples = 5, .pairs = 6, .code_width = 4, .noise = noise};
  return config;
}

inline config::DataConfig listops_config(int least, int most) {
  config::DataConfig config;
  config.kind = config::DataKind::listops;
  config.listops.examples = 60;
  config.listops.test_examples = 20;
  config.listops.min_tokens = least;
  config.listops.max_tokens = most;
  return config;
}

inline config::DataConfig solids_config() {
  config::DataConfig config;
  config.kind = config::DataKind::solids;
  config.classes = 8;
  config.solids = {.examples = 80, .test_examples = 10, .points = 32, .noise = 0.0};
  return config;
}

}  // namespace asap::test
