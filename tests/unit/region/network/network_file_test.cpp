#include "region/network/network_file.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/error_message.h"
#include "support/temporary_folder.h"
#include "unit/region/network/small_network.h"

namespace asap::test {
namespace {

TEST_CASE("networks come back from safetensors and JSON as they were") {
  const region::StoredNetwork stored{small_network(), numerics::Interval{-1, 2.5}};
  const region::StoredNetwork tensors = region::network_from(
      io::parse_safetensors(io::serialise_safetensors(region::network_tensors(stored)), "n"));
  const region::StoredNetwork json =
      region::network_from(io::parse_json(io::format_json(region::network_json(stored)), "n"), "n");
  for (const region::StoredNetwork& back : {tensors, json}) {
    REQUIRE(back.interval);
    CHECK(back.interval->low == -1);
    CHECK(back.interval->high == 2.5);
    for (const double x : {-3.0, -0.2, 0.0, 4.0}) CHECK(back.network(x) == stored.network(x));
  }
}

TEST_CASE("the name of a file says how a network is written") {
  const TemporaryFolder folder;
  const region::StoredNetwork stored{small_network(), numerics::Interval{-1, 2.5}};
  for (const char* name : {"n.json", "n.safetensors"}) {
    region::write_network(stored, folder.path() / name);
    CHECK(region::network_json(region::read_network(folder.path() / name)) ==
          region::network_json(stored));
  }
  CHECK(message_of([&] {
          region::write_network(stored, folder.path() / "n.onnx");
        }).find("n.onnx: the name must end in .json or .safetensors") != std::string::npos);
}

TEST_CASE("PyTorch's names of nn.Sequential are understood, layer 10 after layer 9") {
  const region::ReluNetwork network = small_network();
  io::TensorFile file;
  file.source = "sequential";
  tensor::Tensor<double> first_bias({2}), second_bias({1});
  first_bias[0] = 0.25;
  first_bias[1] = 1;
  second_bias[0] = 0.7;
  file.put("9.weight", network.layers[0].weight);
  file.put("9.bias", first_bias);
  file.put("10.weight", network.layers[1].weight);
  file.put("10.bias", second_bias);
  CHECK(region::network_from(file).network(0.3) == network(0.3));
}

TEST_CASE("networks that do not fit together are refused with file and layer") {
  const auto message = [](const std::string& text) {
    return message_of([&] { region::network_from(io::parse_json(text, "n.json"), "n.json"); });
  };
  CHECK(contains(message("[]"), "layers"));
  CHECK(contains(message(R"({"layers": []})"), "0 layers"));
  CHECK(contains(message(R"({"layers": [{"weight": [[1]], "bias": [0]}]})"), "1 layer;"));
  CHECK(contains(message(R"({"layers": [{"weight": [[1],[2]], "bias": [0,0]},
                                        {"weight": [[1]], "bias": [0]}]})"),
                 "layer 1 reads 1 value, expected 2"));
  CHECK(contains(message(R"({"layers": [{"weight": [[1],[2,3]], "bias": [0,0]}]})"), "row 1"));
  CHECK(contains(message(R"({"layers": [{"weight": [["a"]], "bias": [0]}]})"), "a number"));
  CHECK(contains(message(R"({"layers": [{"weight": [[1]], "bias": [0,1]},
                                        {"weight": [[1]], "bias": [0]}]})"),
                 "2 biases"));
  CHECK(contains(
      message(R"({"layers": [{"weight": [[1]], "bias": [0]}, {"weight": [[1]], "bias": [0]}],
                             "interval": [1, 0]})"),
      "low < high"));
  CHECK_THROWS_AS(region::read_network("network.txt"), base::UsageError);
}

}  // namespace
}  // namespace asap::test
