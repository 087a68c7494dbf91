#pragma once

#include <functional>
#include <string_view>

#include "predict/answer_lines.h"
#include "predict/input.h"
#include "predict/predictor.h"

namespace asap::predict {

/// What a stream of lines was.
struct StreamSummary {
  std::int64_t answered = 0, faults = 0, reruns = 0;
};

struct StreamConfig {
  int descriptor = 0;  ///< of the file to read
  InputConfig input;
  int top = 1;
  bool keep_going = false;  ///< a line that cannot be answered becomes {"id": ..., "error": ...}
};

/// Answers the lines of a file as they arrive, in their order, one json_line each: all lines that
/// are there at a time become one batch, whose answers are written before more is read. Memory does
/// not grow with the number of lines. Without keep_going the first line that cannot be answered is
/// a DataError, after the answers to the lines before it; so are no texts at all, as in a file.
/// `write` sends text on at once.
StreamSummary predict_stream(const bundle::TrainedModel& model, Predictor& predictor,
                             const StreamConfig& config,
                             const std::function<void(std::string_view)>& write);

}  // namespace asap::predict
