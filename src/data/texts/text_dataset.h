#pragma once

#include "data/dataset.h"
#include "text/text_codec.h"

namespace asap::data {

/// Reads labelled texts (see read_labelled_texts) as token ids, with the `codec` of a training. A
/// null codec is learnt from the training part, in which every class needs texts; for a codec with
/// token ids only (TextCodec::token_ids) the classes are learnt. Dataset::codec keeps the result.
/// DataError names file and line of texts without tokens (unless data.text.skip_empty) and of
/// labels that the codec does not know.
Dataset load_text_dataset(const config::DataConfig& config, Split split,
                          std::shared_ptr<const text::TextCodec> codec);

}  // namespace asap::data
