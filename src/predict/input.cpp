#include "predict/input.h"

#include <algorithm>

#include "base/error.h"
#include "predict/image_input.h"
#include "predict/point_input.h"
#include "predict/text_input.h"

namespace asap::predict {

bool StoredReader::read(std::int64_t most, Examples& out, Faults& /*faults*/) {
  const std::int64_t end = std::min(next_ + most, all_.size());
  for (; next_ < end; ++next_) out.append(all_, next_);
  return next_ < all_.size();
}

std::unique_ptr<InputReader> open_input(const std::filesystem::path& path,
                                        const bundle::TrainedModel& model,
                                        const InputConfig& config) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    throw base::DataError("`input`: there is no file or folder '" + path.string() + "'");
  switch (no_examples(model).dataset.kind) {
    case data::ExampleKind::tokens:
      return open_texts(path, model, config);
    case data::ExampleKind::images:
      return open_images(path, model, config);
    case data::ExampleKind::points:
      return open_points(path, model);
  }
  throw base::InternalError("open_input: unknown kind of examples");
}

}  // namespace asap::predict
