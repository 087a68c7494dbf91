#include "config/train_config.h"

namespace asap::config {

void TrainConfig::validate(const std::string& source) const {
  check_field_ranges(*this, source);
  model.validate(source);
  if (train.shard > train.batch)
    throw base::UsageError(
        source + ": train.shard (" + std::to_string(train.shard) +
            ") must not exceed train.batch (" + std::to_string(train.batch) + ")",
        "a batch is split into shards: --set train.shard=" + std::to_string(train.batch));
  if (train.epochs == 0 && train.init_from.empty())
    throw base::UsageError(
        source +
            ": train.epochs is 0, which keeps the weights of train.init_from, but that is empty",
        "set train.epochs=1 or more");
  const bool one_file = data.test_fraction > 0 && data.text.test_file.empty();
  if (data.kind == DataKind::text && !one_file &&
      data.text.train_file.empty() != data.text.test_file.empty())
    throw base::UsageError(
        source + ": one of data.text.train_file and data.text.test_file is empty",
        data.text.test_file.empty()
            ? "name both files, or --set data.test_fraction=0.2 to split the one"
            : "name both files, or neither and the data set in data.name");
  if (data.kind == DataKind::idx && data.path.empty() && data.name.empty())
    throw base::UsageError(source + ": data.path and data.name are both empty",
                           "name a data set (--set data.name=fashion-mnist) or its folder");
}

}  // namespace asap::config
