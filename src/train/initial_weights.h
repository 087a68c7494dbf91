#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/run_folder.h"
#include "nn/transformer.h"
#include "text/text_codec.h"

namespace asap::train {

/// The origin of the first weights of a training.
struct InitialWeights {
  std::string fingerprint;         ///< of the file with the weights; empty: drawn at random
  std::vector<std::string> fresh;  ///< parameters that the other run lacks, drawn at random
};

/// Overwrites the parameters of `model` by those of a pretrained model or of another run, which
/// `folder` names as train.init_from does. Of a pretrained model (see
/// pretrained/pretrained_model.h) the network must be the one it describes.
///
/// Of a run it takes the newest checkpoint. Both networks must agree in all but the attention's
/// kind and settings and the number of classes. The parameters of an attention kind besides its
/// projections keep their random values when the other run has no tensor of that name and shape,
/// and so does the classifier when the classes differ. UsageError names the first tensor that does
/// not fit; DataError when `folder` holds no run or no undamaged checkpoint.
InitialWeights take_initial_weights(const std::string& folder, nn::Transformer<float>& model);

/// The token ids with which such a training must read its texts: those of the other run or
/// pretrained model, to which the weights belong, or those of `own` when a resumed training has a
/// codec already. Null without train.init_from and for other data. DataError when the other run has
/// no codec.
std::shared_ptr<const text::TextCodec> initial_text_codec(const config::TrainConfig& config,
                                                          const config::RunFolder& own,
                                                          bool resumed);

/// One line for the user on the parameters that were taken over and those that were not.
std::string describe_initial_weights(const std::string& folder, const InitialWeights& initial);

}  // namespace asap::train
