#include <cmath>

#include <doctest/doctest.h>

#include "base/error.h"
#include "region/family/spline.h"
#include "region/network/export_c.h"
#include "region/network/export_onnx.h"
#include "region/network/network_file.h"
#include "region/target/formula.h"
#include "region/target/points_file.h"
#include "region/target/target.h"

namespace asap {
namespace {

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const base::Error& error) {
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

region::ReluNetwork small_network() {
  region::ReluNetwork network;
  region::DenseLayer first(2, 1), second(1, 2);
  first.w(0, 0) = 1.5;
  first.w(1, 0) = -0.1;
  first.bias = {0.25, 1};
  second.w(0, 0) = 2;
  second.w(0, 1) = -1.0 / 3;
  second.bias = {0.7};
  network.layers = {first, second};
  return network;
}

TEST_CASE("points are read from commas, semicolons, tabs and blanks, with header and comments") {
  for (const char* text :
       {"x,y\n0,1\n1,2\n2,5\n3,10\n", "0;1\n1;2\n2;5\n3;10", "0\t1\r\n1\t2\r\n2\t5\r\n3\t10\r\n",
        "# measured\n0 1\n\n1   2\n 2 5 \n3 , 10\n"}) {
    const region::PointsFile file = region::parse_points(text, "points.csv");
    CHECK(file.samples.x == std::vector<double>{0, 1, 2, 3});
    CHECK(file.samples.y == std::vector<double>{1, 2, 5, 10});
    CHECK(file.samples.weight.empty());
    CHECK(file.notes.empty());
  }
}

TEST_CASE("points are sorted and equal x averaged by weight, and both is said") {
  const region::PointsFile file =
      region::parse_points("3,1,1\n1,2,1\n2,4,1\n2,8,3\n5,0,2\n", "points.csv");
  CHECK(file.samples.x == std::vector<double>{1, 2, 3, 5});
  CHECK(file.samples.y == std::vector<double>{2, 7, 1, 0});
  CHECK(file.samples.weight == std::vector<double>{1, 4, 1, 2});
  REQUIRE(file.notes.size() == 2);
  CHECK(contains(file.notes[0], "sorted"));
  CHECK(contains(file.notes[1], "averaged"));
}

TEST_CASE("damaged points are refused with file and line") {
  const auto message = [](const char* text) {
    return message_of([&] { region::parse_points(text, "points.csv"); });
  };
  CHECK(contains(message("0,1\n1,two\n2,3\n3,4\n"), "points.csv:2: 'two' is not a number"));
  CHECK(contains(message("0,1\n1,nan\n2,3\n3,4\n"), "points.csv:2: y is not finite"));
  CHECK(contains(message("0,1\n1,2\ninf,3\n3,4\n"), "points.csv:3: x is not finite"));
  CHECK(contains(message("0,1\n1\n2,3\n3,4\n"), "points.csv:2: 1 column"));
  CHECK(contains(message("0,1,2,3\n"), "4 columns"));
  CHECK(contains(message("0,1\n1,2,3\n"), "points.csv:2: 3 columns"));
  CHECK(contains(message("0,1,1\n1,2,0\n"), "points.csv:2: the weight is not positive"));
  CHECK(contains(message("0,1\n1,2\n2,3\n"), "3 points of different x, at least four"));
  CHECK(contains(message("1,1\n1,2\n1,3\n1,4\n"), "1 points of different x"));
  CHECK(contains(message(""), "0 points"));
  CHECK_THROWS_AS(region::parse_points("0,1\nx,y\n", "points.csv"), base::DataError);
}

TEST_CASE("formulas have the usual functions and constants") {
  CHECK(region::compile_formula("x^11")(0.5) == doctest::Approx(std::pow(0.5, 11)));
  CHECK(region::compile_formula("log(x)")(2) == doctest::Approx(std::log(2)));
  CHECK(region::compile_formula("softplus(10*x)")(-100) == doctest::Approx(0));
  CHECK(region::compile_formula("softplus(10*x)")(100) == doctest::Approx(1000));
  CHECK(region::compile_formula("sin(pi*x) + e")(0.5) == doctest::Approx(1 + std::exp(1)));
  CHECK(region::compile_formula("abs(x) + relu(-x)")(-3) == 6);
}

TEST_CASE("mistakes in formulas are named with their column") {
  const auto message = [](const char* text) {
    return message_of([&] { region::compile_formula(text); });
  };
  CHECK(contains(message("sin(x"), "column"));
  CHECK(contains(message("2*y+1"), "column 3"));
  CHECK(contains(message("foo(x)"), "column 1"));
  CHECK(!message("").empty());
  CHECK(contains(message("x, 2*x"), "2 results"));
  CHECK_THROWS_AS(region::compile_formula("x +"), base::UsageError);
}

TEST_CASE("a function that is not finite on the interval is refused with the x") {
  CHECK(contains(message_of([] {
                   region::function_target("log(x)", {0, 1});
                 }),
                 "infinite at x = 0"));
  CHECK(contains(message_of([] {
                   region::function_target("sqrt(x)", {-1, 1});
                 }),
                 "not a number at x = -1"));
  CHECK_THROWS_AS(region::function_target("1/x", {-1, 1}), base::NumericalError);
  CHECK_THROWS_AS(region::function_target("x", {1, 1}), base::UsageError);
  CHECK_THROWS_AS(region::function_target("x", {2, 1}), base::UsageError);
  CHECK_THROWS_AS(region::function_target("x", {0, std::nan("")}), base::UsageError);
  CHECK_THROWS_AS(region::function_target("x", {0, 1}, 3), base::UsageError);
  CHECK_THROWS_AS(region::paper_target("x4"), base::UsageError);
}

TEST_CASE("the cubic spline is exact for cubic polynomials and fourth order otherwise") {
  const numerics::Curve cubic = [](double x) { return 2 + x - 3 * x * x + 0.5 * x * x * x; };
  const std::vector<double> x{-1, -0.5, 0.1, 1.3, 2, 3.5};
  std::vector<double> y;
  for (const double at : x) y.push_back(cubic(at));
  const region::CubicSpline spline(x, y);
  for (const double at : {-1.2, -0.9, 0.0, 0.7, 1.99, 3.6})
    CHECK(spline(at) == doctest::Approx(cubic(at)).epsilon(1e-12));
  const auto error = [](int count) {
    const region::Samples samples =
        region::even_samples([](double v) { return std::exp(v); }, {0, 1}, count);
    const region::CubicSpline s(samples.x, samples.y);
    double largest = 0;
    for (int i = 0; i <= 1000; ++i)
      largest = std::max(largest, std::abs(s(i / 1000.0) - std::exp(i / 1000.0)));
    return largest;
  };
  CHECK(error(41) < error(21) / 12);  // 16 in the limit
}

TEST_CASE("binning keeps weighted means and total weight") {
  region::Samples samples;
  for (int i = 0; i < 1000; ++i) {
    samples.x.push_back(i / 999.0);
    samples.y.push_back(3 * samples.x.back());
    samples.weight.push_back(1 + i % 3);
  }
  const region::Samples binned = region::bin_samples(samples, 50);
  CHECK(binned.size() == 50);
  CHECK(binned.total_weight() == doctest::Approx(samples.total_weight()));
  for (std::size_t b = 0; b < 50; ++b) CHECK(binned.y[b] == doctest::Approx(3 * binned.x[b]));
  CHECK(region::bin_samples(samples, 1000).x == samples.x);
}

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
  CHECK(contains(message(R"({"layers": [{"weight": [[1]], "bias": [0]}]})"), "1 layers"));
  CHECK(contains(message(R"({"layers": [{"weight": [[1],[2]], "bias": [0,0]},
                                        {"weight": [[1]], "bias": [0]}]})"),
                 "layer 1 reads 1 values, expected 2"));
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

TEST_CASE("the C header holds the weights in full precision and refuses names that are not C") {
  const std::string header =
      region::export_c_header({small_network(), numerics::Interval{0, 1}}, "my_curve", "a */ b");
  CHECK(contains(header, "static inline double my_curve(double x) {"));
  CHECK(contains(header, "0.33333333333333331"));
  CHECK(contains(header, "#ifndef MY_CURVE_H"));
  CHECK(contains(header, "a * / b"));
  for (const char* name : {"", "2x", "a-b", "double", "x", "a b", "f(x)"})
    CHECK_THROWS_AS(region::export_c_header({small_network(), {}}, name, ""), base::UsageError);
}

TEST_CASE("the ONNX model names its operators and holds every weight") {
  const std::string model = region::export_onnx({small_network(), {}}, "curve");
  CHECK(contains(model, "Gemm"));
  CHECK(contains(model, "Relu"));
  CHECK(contains(model, "layers.1.weight"));
  const double weight = -1.0 / 3;
  CHECK(contains(model, std::string(reinterpret_cast<const char*>(&weight), sizeof weight)));
  CHECK_THROWS_AS(region::export_onnx({small_network(), {}}, ""), base::UsageError);
}

}  // namespace
}  // namespace asap
