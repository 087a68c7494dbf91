#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/run_folder.h"
#include "nn/transformer.h"
#include "text/text_codec.h"

namespace asap::train {

/// Where the weights came from that a training started with.
struct InitialWeights {
  std::string fingerprint;         ///< of the file they were read from; empty: drawn at random
  std::vector<std::string> fresh;  ///< parameters the other run could not give
};

/// Overwrites the parameters of `model` by those of the newest checkpoint of another run (`folder`,
/// as train.init_from names it). Both networks must be alike but for the attention's kind and
/// settings and the number of classes: what a kind of attention learns besides its projections
/// stays as it was drawn when the other run has nothing of that name and shape, and so does the
/// classifier when the classes are others. UsageError names the first tensor that does not fit;
/// DataError when `folder` holds no run or no undamaged checkpoint.
InitialWeights take_initial_weights(const std::string& folder, nn::Transformer<float>& model);

/// What such a training must read its texts with: the token ids of the other run, because its
/// weights know no others, or once `own` has a codec, which a resumed training has, of its own.
/// Null without train.init_from and for other data. DataError when the other run has none.
std::shared_ptr<const text::TextCodec> initial_text_codec(const config::TrainConfig& config,
                                                          const config::RunFolder& own,
                                                          bool resumed);

/// One line for the user: what was taken over, and what was not.
std::string describe_initial_weights(const std::string& folder, const InitialWeights& initial);

}  // namespace asap::train
