#include "region/network/export_onnx.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/error_message.h"
#include "unit/region/network/small_network.h"

namespace asap::test {
namespace {

TEST_CASE("the ONNX model names its operators and holds every weight") {
  const std::string model = region::export_onnx({small_network(), {}}, "curve");
  CHECK(contains(model, "Gemm"));
  CHECK(contains(model, "Relu"));
  CHECK(contains(model, "layers.1.weight"));
  CHECK(contains(model, "alpha"));
  CHECK(contains(model, "beta"));
  const double weight = -1.0 / 3;
  CHECK(contains(model, std::string(reinterpret_cast<const char*>(&weight), sizeof weight)));
  CHECK_THROWS_AS(region::export_onnx({small_network(), {}}, ""), base::UsageError);
}

TEST_CASE("the bounds of the inputs are in OMLT's format") {
  CHECK(region::onnx_bounds({small_network(), numerics::Interval{-1, 2}}) ==
        io::Json::parse(R"([{"key": 0, "lower_bound": -1.0, "upper_bound": 2.0}])"));
  CHECK_THROWS_AS(region::onnx_bounds({small_network(), {}}), base::DataError);
}

}  // namespace
}  // namespace asap::test
