// What relu-fit hands over to other programs: code, segments, ONNX, predictions.
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cli/relu_fit_command.h"

namespace asap::test {
namespace {

/// A fit of sin(3x) in 32 pieces on [-1, 2]. Returns the path of the network.
std::string fitted_sine(const Workspace& work) {
  const Outcome fitted =
      relu_fit({"fit", "--function", "sin(3*x)", "--interval", "-1", "2", "--windows", "4",
                "--depth", "3", "--out", (work / "sine").string(), "--quiet"});
  REQUIRE_MESSAGE(fitted.code == 0, fitted.error);
  return (work / "sine" / "network.json").string();
}

/// Compiles `code` as strict C99 and returns what the program prints.
std::string output_of_c(const Workspace& work, const std::string& code) {
  std::ofstream(work / "main.c") << code;
  const std::string program = work / "program", printed = work / "printed";
  const std::string compile = "cc -std=c99 -Wall -Wextra -Wconversion -Werror -o " + program + " " +
                              (work / "main.c").string() + " -lm";
  REQUIRE(std::system(compile.c_str()) == 0);
  REQUIRE(std::system((program + " > " + printed).c_str()) == 0);
  return base::read_file(printed);
}

TEST_CASE("exported code stays within its certified errors of the function") {
  const Workspace work;
  const std::string network = fitted_sine(work);
  const Outcome exported = relu_fit(
      {"export", "--network", network, "--formats", "c,c-float,c-q15,c-q31,table", "--function",
       "sin(3*x)", "--cells", "512", "--out", (work / "code").string(), "--name", "sine"});
  REQUIRE_MESSAGE(exported.code == 0, exported.error);
  const io::Json errors = io::read_json(work / "code" / "summary.json")["errors"];
  // The largest distance from sin(3x) over 65536 inputs, for each kind of code.
  const std::string printed = output_of_c(work, R"(
#include <math.h>
#include <stdio.h>
#include "code/sine.h"
#include "code/sine_float.h"
#include "code/sine_lookup.h"
#include "code/sine_q15.h"
#include "code/sine_q31.h"
double sin(double);
int main(void) {
  double most[5] = {0, 0, 0, 0, 0};
  for (long i = -32768; i < 32768; ++i) {
    const double x = -1 + 3 * (double)(i + 32768) / 65535;
    const int16_t narrow = (int16_t)i;
    const int32_t wide = (int32_t)(i * 65536);
    const double x15 = SINE_Q15_X_OFFSET + SINE_Q15_X_STEP * narrow;
    const double x31 = SINE_Q31_X_OFFSET + SINE_Q31_X_STEP * wide;
    const float single = (float)x;
    const double errors[5] = {
        sine(x) - sin(3 * x), (double)sine_float(single) - sin(3 * (double)single),
        SINE_Q15_Y_OFFSET + SINE_Q15_Y_STEP * sine_q15(narrow) - sin(3 * x15),
        SINE_Q31_Y_OFFSET + SINE_Q31_Y_STEP * sine_q31(wide) - sin(3 * x31),
        sine_lookup(x) - sin(3 * x)};
    for (int k = 0; k < 5; ++k) if (fabs(errors[k]) > most[k]) most[k] = fabs(errors[k]);
  }
  for (int k = 0; k < 5; ++k) printf("%.17g\n", most[k]);
  return 0;
}
)");
  std::istringstream values(printed);
  for (const char* format : {"c", "c-float", "c-q15", "c-q31", "table"}) {
    CAPTURE(std::string(format));
    double most = 0;
    values >> most;
    REQUIRE_FALSE(values.fail());
    const double certified = errors[format]["function"].get<double>();
    CHECK(most <= certified);
    CHECK(certified < 2 * most);
  }
  CHECK(errors["c"]["network"].get<double>() < 1e-11);
  CHECK(errors["c-q31"]["network"].get<double>() < 1e-8);
  CHECK(contains(base::read_file(work / "code" / "sine_q15.h"), "Largest error, certified"));
}

TEST_CASE("segments repeat the network as lines") {
  const Workspace work;
  const std::string network = fitted_sine(work);
  REQUIRE(relu_fit({"export", "--network", network, "--format", "segments", "--out",
                    (work / "out").string()})
              .code == 0);
  const io::Json segments = io::read_json(work / "out" / "relu_fit_segments.json");
  REQUIRE(segments["x"].size() == 33);
  std::string list;
  for (int k = 0; k < 32; ++k) {
    const double middle = (segments["x"][k].get<double>() + segments["x"][k + 1].get<double>()) / 2;
    list += (k > 0 ? "," : "") + io::Json(middle).dump();
  }
  const Outcome eval = relu_fit({"eval", "--network", network, "--x", list, "--json"});
  const io::Json values = io::Json::parse(eval.out);
  for (int k = 0; k < 32; ++k) {
    const double line = segments["slope"][k].get<double>() * values["x"][k].get<double>() +
                        segments["intercept"][k].get<double>();
    CHECK(line == doctest::Approx(values["y"][k].get<double>()).epsilon(1e-9));
  }
  std::ifstream csv(work / "out" / "relu_fit_segments.csv");
  std::string line;
  int lines = 0;
  while (std::getline(csv, line)) ++lines;
  CHECK(lines == 34);
}

TEST_CASE("formats that need one input or an interval say so") {
  const Workspace work;
  const std::string network = fitted_sine(work);
  io::Json plain = io::read_json(network);
  plain.erase("interval");
  std::ofstream(work / "plain.json") << plain.dump();
  const auto refused = [&](const Words& words) {
    const Outcome outcome = relu_fit(Words{"export", "--out", (work / "no").string()} + words);
    CHECK(outcome.code == 2);
    CHECK_FALSE(std::filesystem::exists(work / "no"));
    return outcome.error;
  };
  const std::string file = work / "plain.json";
  CHECK(contains(refused({"--network", file, "--format", "segments"}), "--interval"));
  CHECK(contains(refused({"--network", network, "--format", "segment"}), "segments"));
  CHECK(contains(refused({"--network", network, "--format", "table", "--cells", "0"}), "--cells"));
  CHECK(relu_fit({"export", "--network", file, "--format", "segments,onnx", "--interval", "0", "2",
                  "--out", (work / "yes").string()})
            .code == 0);
  CHECK(std::filesystem::exists(work / "yes" / "relu_fit.onnx.bounds.json"));
}

TEST_CASE("eval writes predictions, with errors only where the file knows the values") {
  const Workspace work;
  const std::string network = fitted_sine(work);
  const auto evaluate = [&](const std::string& text, const Words& more) {
    std::ofstream(work / "new.csv") << text;
    std::filesystem::remove_all(work / "out");
    return relu_fit(Words{"eval", "--network", network, "--data", (work / "new.csv").string(),
                          "--out", (work / "out").string(), "--json"} +
                    more);
  };
  const auto lines = [&] { return base::read_file(work / "out" / "predictions.csv"); };
  for (const char* text :
       {"x\n1\n0.5\n3\n", "1\n0.5\n3\n", "id,x\n7,1\n8,0.5\n9,3\n", "time\n1\n0.5\n3\n"}) {
    CAPTURE(std::string(text));
    const Outcome outcome = evaluate(text, {"--no-target"});
    REQUIRE_MESSAGE(outcome.code == 0, outcome.error);
    const io::Json summary = io::Json::parse(outcome.out);
    CHECK(summary["rows"] == 3);
    CHECK(summary["outside"] == 1);
    CHECK_FALSE(summary.contains("mse"));
    CHECK(contains(lines(), ",prediction\n1,"));
  }
  REQUIRE(evaluate("x\n1\n0.5\n", {}).code == 0);  // one column: nothing to compare with
  const Outcome known = evaluate("x,y\n1,0.14112\n0.5,0.9975\n0,0\n2,-0.2794\n", {});
  REQUIRE_MESSAGE(known.code == 0, known.error);
  CHECK(io::Json::parse(known.out)["mse"].get<double>() < 1e-2);
  CHECK(contains(lines(), "x,y,prediction\n0,0,"));
  // A fit needs four points, a network that is there needs one.
  for (const char* points : {"x,y\n1,0.5\n", "1,0.25\n1,0.75\n", "x,y\n1,0.5\n9,0\n3,0\n"}) {
    const bool one = std::string(points).find('9') == std::string::npos;
    const Outcome few = evaluate(points, one ? Words{} : Words{"--interval", "0", "2"});
    REQUIRE_MESSAGE(few.code == 0, few.error);
    const io::Json summary = io::Json::parse(few.out);
    CHECK(summary["rows"] == 1);
    const double error = std::abs(std::sin(3.0) - 0.5);
    const double scatter = points[0] == '1' ? 0.25 : 0;  // two points around their mean
    CHECK(summary["mse"].get<double>() ==
          doctest::Approx(error * error + scatter * scatter).epsilon(0.02));
    CHECK(summary["max_error"].get<double>() == doctest::Approx(error + scatter).epsilon(0.02));
    CHECK_FALSE(summary.contains("dense_mse"));
  }
  const Outcome open = evaluate("a,b\n1,2\n2,3\n", {"--no-target"});
  CHECK(open.code == 2);
  CHECK(contains(open.error, "--x-column"));
}

TEST_CASE("eval predicts rows of several inputs by the names of their columns") {
  const Workspace work;
  std::ofstream rows(work / "rows.csv");
  rows << "a,b,f\n";
  for (int i = 0; i < 60; ++i) {
    const double a = 0.37 * (i % 7) - 1, b = 0.23 * (i % 11) - 1;
    rows << a << "," << b << "," << a - 2 * b << "\n";
  }
  rows.close();
  REQUIRE(relu_fit({"fit", "--data", (work / "rows.csv").string(), "--target", "f", "--ridges", "1",
                    "--depth", "2", "--out", (work / "fit").string(), "--quiet"})
              .code == 0);
  const std::string network = work / "fit" / "network.json";
  // Other order, one column more, no target.
  std::ofstream(work / "new.csv") << "b,name,a\n0.5,one,-0.25\n-0.5,two,0.75\n";
  const Outcome predicted =
      relu_fit({"eval", "--network", network, "--data", (work / "new.csv").string(), "--json"});
  REQUIRE_MESSAGE(predicted.code == 0, predicted.error);
  const io::Json values = io::Json::parse(predicted.out)["predictions"];
  CHECK(values[0].get<double>() == doctest::Approx(-1.25).epsilon(0.02));
  CHECK(values[1].get<double>() == doctest::Approx(1.75).epsilon(0.02));
  const Outcome known =
      relu_fit({"eval", "--network", network, "--data", (work / "rows.csv").string(), "--json",
                "--out", (work / "out").string()});
  REQUIRE_MESSAGE(known.code == 0, known.error);
  CHECK(io::Json::parse(known.out)["r2"].get<double>() > 0.999);
  CHECK(base::read_file(work / "out" / "predictions.csv").starts_with("a,b,f,prediction\n"));
  std::ofstream(work / "less.csv") << "b,f\n0.5,1\n";
  CHECK(relu_fit({"eval", "--network", network, "--data", (work / "less.csv").string()}).code == 3);
}

TEST_CASE("regions writes a page of its own") {
  const Workspace work;
  const std::string network = fitted_sine(work);
  REQUIRE(relu_fit({"regions", "--network", network, "--out", (work / "out").string()}).code == 0);
  const std::string page = base::read_file(work / "out" / "report.html");
  for (const char* part : {"<svg", "<td>32</td>", "network.json", "</html>"})
    CHECK_MESSAGE(contains(page, part), part);
  CHECK(std::filesystem::exists(work / "out" / "regions.svg"));
  CHECK(io::read_json(work / "out" / "summary.json")["slopes"].size() == 32);
  // Without a folder nothing is written.
  CHECK(relu_fit({"regions", "--network", network}).code == 0);
}

// The test scripts/network_minimum lets OMLT and gurobi-machinelearning minimise such files.
TEST_CASE("the ONNX file and its bounds have the form that OMLT reads") {
  const Workspace work;
  const std::string network = fitted_sine(work);
  REQUIRE(relu_fit({"export", "--network", network, "--format", "onnx", "--out",
                    (work / "onnx").string()})
              .code == 0);
  const io::Json bounds = io::read_json(work / "onnx" / "relu_fit.onnx.bounds.json");
  REQUIRE(bounds.size() == 1);
  CHECK(bounds[0]["lower_bound"] == -1.0);
  CHECK(bounds[0]["upper_bound"] == 2.0);
  const std::string model = base::read_file(work / "onnx" / "relu_fit.onnx");
  for (const char* part : {"Gemm", "alpha", "beta", "transB"}) CHECK(contains(model, part));
}

}  // namespace
}  // namespace asap::test
