#include "config/matcher_config.h"

#include "base/counted.h"

namespace asap::config {

void MatcherTrainConfig::validate(const std::string& source) const {
  check_field_ranges(*this, source);
  const MatcherConfig& matcher = model.matcher;
  if (matcher.width % matcher.heads != 0)
    throw base::UsageError(source + ": model.matcher.width is " + std::to_string(matcher.width) +
                               ", which is not a multiple of model.matcher.heads, " +
                               std::to_string(matcher.heads),
                           "choose a width that is");
  if (data.train.empty())
    throw base::UsageError(source + ": data.train is empty",
                           "name a file of training pairs; scripts/make_keypoints.py makes one");
}

bool is_matcher(const io::Json& config) {
  if (!config.is_object() || !config.contains("model")) return false;
  const io::Json& model = config.at("model");
  return model.is_object() && model.value("kind", io::Json()) == "matcher";
}

std::string describe_matcher(const MatcherConfig& matcher) {
  return "matcher, " + base::counted(matcher.layers, "layer") + " of width " +
         std::to_string(matcher.width) + " with " + base::counted(matcher.heads, "head") + ", " +
         (matcher.output == MatcherOutput::dustbin
              ? "transport with dustbins (T = " + std::to_string(matcher.iterations) + ")"
              : "dual softmax");
}

}  // namespace asap::config
