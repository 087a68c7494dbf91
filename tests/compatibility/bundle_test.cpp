// Bundles of earlier versions must stay readable: data/bundle_v<N> holds one of format version N,
// texts, and the answers to them that the version which introduced it gave.
#include <filesystem>

#include <doctest/doctest.h>

#include "base/text.h"
#include "io/delimited.h"
#include "predict/predict_run.h"
#include "support/temporary_folder.h"

using namespace asap::bundle;
using namespace asap::io;
using namespace asap::predict;
using namespace asap::test;
namespace fs = std::filesystem;

namespace {

// Another processor adds in another order: rounding errors of float32, amplified by a few layers.
constexpr double kBundleTolerance = 1e-4;

}  // namespace

TEST_CASE("a bundle of version 1 gives the answers it gave when it was written") {
  const fs::path data = fs::path(ASAP_SOURCE_DIR) / "tests/compatibility/data/bundle_v1";
  const TrainedModel model = load_model(data / "model.safetensors", "");
  const PredictorConfig config;
  Predictor predictor(model, method_of("compiled", model), config);
  const auto input = open_input(data / "texts.txt", model, {});
  const TemporaryFolder out;
  Faults faults;
  predict_to_folder(*input, predictor, {config, model.class_names, 2, out.path()}, faults);
  const DelimitedRows expected = read_delimited(data / "predictions.csv", {});
  const DelimitedRows answers = read_delimited(out / "predictions.csv", {});
  REQUIRE(answers.rows() == 7);
  REQUIRE(expected.rows() == 7);
  for (std::int64_t row = 0; row < 7; ++row) {
    CHECK(answers.field(row, 0) == expected.field(row, 0));
    CHECK(answers.field(row, 1) == expected.field(row, 1));
    if (row == 0) continue;
    const auto probability = asap::base::parse_number<double>(answers.field(row, 2));
    REQUIRE(probability);
    CHECK(*probability == doctest::Approx(*asap::base::parse_number<double>(expected.field(row, 2)))
                              .epsilon(kBundleTolerance));
  }
}
