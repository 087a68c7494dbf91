#include "nn/transformer.h"

#include <doctest/doctest.h>

#include "data/batch.h"
#include "support/padded_models.h"
#include "support/small_sequences.h"

using namespace asap::config;
using namespace asap::data;
using namespace asap::nn;
using namespace asap::test;

TEST_CASE("in training a padded batch gives the logits of its examples without padding") {
  for (const ModelConfig& config : all_models()) {
    CAPTURE(name_of(config));
    const Dataset data = small_sequences(config.kind, kLengths, config.labels_tokens());
    Transformer<double> model(config, 3);
    enlarge_weights(model);
    CHECK(padding_error(data, [&](const Batch& batch) { return logits_on_tape(model, batch); }) <
          kPaddedTolerance);
  }
}
