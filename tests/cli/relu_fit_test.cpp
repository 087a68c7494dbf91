#include <cmath>
#include <cstdlib>
#include <fstream>

#include "cli/relu_fit_command.h"

namespace asap::test {
namespace {

/// A windowed fit, which takes milliseconds.
Outcome fit_sine(const std::filesystem::path& folder, const Words& more = {}) {
  return relu_fit(Words{"fit", "--function", "sin(x)", "--interval", "0", "2*pi", "--windows", "8",
                        "--out", folder.string()} +
                  more);
}

TEST_CASE("relu-fit fit writes network, code, data, pictures and summary") {
  const Workspace work;
  const Outcome outcome = fit_sine(work / "sine");
  REQUIRE(outcome.code == 0);
  for (const char* file : {"network.safetensors", "network.json", "relu_fit.h", "fit.csv",
                           "fit.svg", "fit.png", "summary.json"})
    CHECK(std::filesystem::file_size(work / "sine" / file) > 100);
  const io::Json summary = summary_of(work / "sine");
  CHECK(summary["mse"].get<double>() < 2e-7);
  CHECK(summary["dense_mse"].get<double>() < 2e-7);
  CHECK(summary["linear_regions"] == 256);
  CHECK(summary["activation_regions"] == 256);
  CHECK(summary["parameters"] == 1295);  // 1276, and an end neuron of the first layer
  CHECK(summary["floor_mse"].get<double>() < summary["dense_mse"].get<double>());
  CHECK(summary["seconds"].get<double>() > 0);
  CHECK(contains(outcome.out, "256 linear"));
}

TEST_CASE("the generated C header computes the network to 1e-12") {
  const Workspace work;
  REQUIRE(fit_sine(work / "sine", {"--name", "my_sine"}).code == 0);
  std::ofstream(work / "main.c") << "#include <stdio.h>\n#include \"sine/my_sine.h\"\n"
                                    "int main(void) {\n"
                                    "  for (int i = 0; i <= 1000; ++i) {\n"
                                    "    const double x = 6.283185307179586 * i / 1000.0;\n"
                                    "    printf(\"%.17g %.17g\\n\", x, my_sine(x));\n"
                                    "  }\n"
                                    "  return 0;\n"
                                    "}\n";
  const std::string program = work / "program", values = work / "values";
  const std::string compile =
      "cc -std=c99 -Wall -Wextra -Werror -o " + program + " " + (work / "main.c").string();
  REQUIRE(std::system(compile.c_str()) == 0);
  REQUIRE(std::system((program + " > " + values).c_str()) == 0);
  std::ifstream stream(values);
  std::string list;
  std::vector<double> expected;
  double x = 0, y = 0;
  while (stream >> x >> y) {
    char text[40];
    std::snprintf(text, sizeof text, "%s%.17g", list.empty() ? "" : ",", x);
    list += text;
    expected.push_back(y);
  }
  REQUIRE(expected.size() == 1001);
  const Outcome eval =
      relu_fit({"eval", "--network", (work / "sine" / "network.safetensors").string(), "--x", list,
                "--json"});
  REQUIRE(eval.code == 0);
  const io::Json result = io::Json::parse(eval.out);
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(std::abs(result["y"][i].get<double>() - expected[i]) < 1e-12);
}

TEST_CASE("results are byte-identical for any number of threads") {
  const Workspace work;
  const Words words = {"fit", "--function", "exp(x)", "--depth", "2", "--seed", "3", "--out"};
  REQUIRE(relu_fit(words + Words{(work / "one").string(), "--threads", "1"}).code == 0);
  REQUIRE(relu_fit(words + Words{(work / "four").string(), "--threads", "4"}).code == 0);
  for (const char* file : {"network.safetensors", "network.json", "fit.csv", "relu_fit.h"})
    CHECK(base::read_file(work / "one" / file) == base::read_file(work / "four" / file));

  const Words bench = {"bench",          "--targets", "x3-10", "--methods",
                       "smooth,kaiming", "--seeds",   "4",     "--out"};
  REQUIRE(relu_fit(bench + Words{(work / "b1").string(), "--threads", "1"}).code == 0);
  REQUIRE(relu_fit(bench + Words{(work / "b3").string(), "--threads", "3"}).code == 0);
  io::Json first = summary_of(work / "b1"), second = summary_of(work / "b3");
  for (io::Json* summary : {&first, &second})
    for (io::Json& row : (*summary)["rows"]) row.erase("seconds_per_seed");
  CHECK(first == second);
  CHECK(first["rows"].size() == 2);
  for (const char* key :
       {"target", "method", "min", "mean", "max", "dense_mean", "paper_min", "paper_mean", "floor"})
    CHECK(first["rows"][0].contains(key));
}

TEST_CASE("regions, floor, eval and export work on what fit wrote") {
  const Workspace work;
  REQUIRE(fit_sine(work / "sine").code == 0);
  const std::string network = work / "sine" / "network.json";
  const Outcome regions = relu_fit({"regions", "--network", network, "--json"});
  REQUIRE(regions.code == 0);
  const io::Json counted = io::Json::parse(regions.out);
  CHECK(counted["linear_regions"] == 256);
  CHECK(counted["breakpoints"].size() == 257);

  const Outcome half =
      relu_fit({"regions", "--network", network, "--interval", "0", "pi", "--json"});
  CHECK(io::Json::parse(half.out)["linear_regions"] == 128);

  const Outcome floor = relu_fit({"floor", "--function", "x^2", "--pieces", "1,32", "--json"});
  REQUIRE(floor.code == 0);
  // 4 / (720 * 32^4)
  CHECK(io::Json::parse(floor.out)["rows"][1]["floor_mse"].get<double>() ==
        doctest::Approx(5.298e-9).epsilon(0.01));

  const Outcome eval = relu_fit({"eval", "--network", network, "--function", "sin(x)", "--json"});
  REQUIRE(eval.code == 0);
  CHECK(io::Json::parse(eval.out)["dense_mse"].get<double>() < 2e-7);

  REQUIRE(relu_fit({"export", "--network", network, "--formats", "c,safetensors,json,onnx",
                    "--name", "sine", "--out", (work / "code").string()})
              .code == 0);
  for (const char* file : {"sine.h", "sine.safetensors", "sine.json", "sine.onnx"})
    CHECK(std::filesystem::exists(work / "code" / file));
  const Outcome again =
      relu_fit({"eval", "--network", (work / "code" / "sine.safetensors").string(), "--x", "1.25",
                "--json"});
  CHECK(io::Json::parse(again.out)["y"][0].get<double>() ==
        doctest::Approx(std::sin(1.25)).epsilon(1e-2));
}

TEST_CASE("points of a file are fitted, sorted and averaged, which is said") {
  const Workspace work;
  std::ofstream(work / "points.csv")
      << "x,y\n1,1\n0.5,0.25\n0,0\n0.25,0.0625\n0.75,0.5\n0.75,0.625\n";
  const Outcome outcome = relu_fit({"fit", "--data", (work / "points.csv").string(), "--windows",
                                    "2", "--depth", "2", "--out", (work / "fit").string()});
  REQUIRE(outcome.code == 0);
  CHECK(contains(outcome.out, "sorted"));
  CHECK(contains(outcome.out, "averaged"));
  const io::Json summary = summary_of(work / "fit");
  CHECK(summary["points"] == 5);
  CHECK(summary["notes"].size() == 2);
}

TEST_CASE("errors are those of all points where some share their x") {
  const Workspace work;
  std::ofstream(work / "points.csv") << "x,y\n0,0\n0,2\n1,1\n1,3\n2,0\n2,2\n3,1\n3,3\n4,0\n4,2\n";
  const auto fit = [&](const std::string& folder, std::vector<std::string> more) {
    std::vector<std::string> words{"fit", "--data", (work / "points.csv").string(), "--out",
                                   (work / folder).string()};
    words.insert(words.end(), more.begin(), more.end());
    return relu_fit(words);
  };
  const Outcome refused = fit("a", {"--tolerance", "0.25"});
  CHECK(refused.code == 2);
  CHECK(contains(refused.error, "x = 0 reach from 0 to 2"));
  CHECK(contains(refused.error, "1.01"));
  for (const std::vector<std::string>& how :
       std::vector<std::vector<std::string>>{{"--tolerance", "1.25"}, {"--pieces", "1"}}) {
    REQUIRE(fit("b",
                [&] {
                  std::vector<std::string> words = how;
                  words.emplace_back("--overwrite");
                  return words;
                }())
                .code == 0);
    const io::Json summary = summary_of(work / "b");
    // Means 1, 2, 1, 2, 1, each of two points that are one away from it.
    CHECK(summary["mse"].get<double>() >= 1);
    CHECK(summary["floor_mse"].get<double>() >= 1);
    CHECK(summary["max_error"].get<double>() >= 1.25 - 1e-6);
    const double variance = 1 + 0.24;
    CHECK(summary["r_squared"].get<double>() ==
          doctest::Approx(1 - summary["mse"].get<double>() / variance));
  }
}

TEST_CASE("a tolerance and a shape are kept and reported") {
  const Workspace work;
  REQUIRE(relu_fit({"fit", "--function", "sin(x)", "--interval", "0", "2*pi", "--tolerance", "1e-6",
                    "--out", (work / "fine").string()})
              .code == 0);
  const io::Json fine = summary_of(work / "fine");
  CHECK(fine["max_error"].get<double>() <= 1e-6);
  CHECK(fine["tolerance"]["trials"].size() > 4);

  REQUIRE(relu_fit({"fit", "--function", "x^3", "--keep-shape", "--out", (work / "shape").string()})
              .code == 0);
  const io::Json shape = summary_of(work / "shape");
  CHECK(shape["shape"]["convex"] == true);
  CHECK(shape["shape"]["increasing"] == true);
  CHECK(shape["shape"]["concave"] == false);
}

TEST_CASE("a configuration that was dumped gives the same fit") {
  const Workspace work;
  const Words words = {"fit",     "--function", "exp(x)", "--method", "smooth",
                       "--depth", "3",          "--seed", "9"};
  const Outcome dumped = relu_fit(words + Words{"--dump-config"});
  REQUIRE(dumped.code == 0);
  std::ofstream(work / "config.json") << dumped.out;
  REQUIRE(relu_fit(words + Words{"--out", (work / "a").string()}).code == 0);
  REQUIRE(
      relu_fit({"fit", "--config", (work / "config.json").string(), "--out", (work / "b").string()})
          .code == 0);
  CHECK(base::read_file(work / "a" / "network.json") ==
        base::read_file(work / "b" / "network.json"));
}

TEST_CASE("bad targets are refused with the contracted exit code and leave nothing behind") {
  const Workspace work;
  const std::string out = work / "out";
  const auto fit = [&](const Words& words) { return Words{"fit"} + words + Words{"--out", out}; };
  expect_refusal(fit({}), 2, "nothing to fit");
  expect_refusal(fit({"--function", "sin(x"}), 2, "column");
  expect_refusal(fit({"--function", "y+1"}), 2, "column 1");
  expect_refusal(fit({"--function", "x", "--data", "p.csv"}), 2, "both");
  expect_refusal(fit({"--function", "log(x)", "--interval", "0", "1"}), 4, "at x = 0");
  expect_refusal(fit({"--function", "sqrt(x)", "--interval", "-1", "1"}), 4, "at x = -1");
  expect_refusal(fit({"--function", "x", "--interval", "1", "0"}), 2, "smaller");
  expect_refusal(fit({"--function", "x", "--interval", "0", "x"}), 2, "depends on x");
  expect_refusal(fit({"--function", "x", "--depth", "60"}), 2, "float64");
  expect_refusal(fit({"--function", "x", "--depth", "0"}), 2, "--depth");
  expect_refusal(fit({"--function", "x", "--windows", "0"}), 2, "--windows");
  expect_refusal(fit({"--function", "x", "--fold", "1"}), 2, "--fold");
  expect_refusal(fit({"--function", "x", "--method", "bets"}), 2, "did you mean 'best'");
  expect_refusal(fit({"--function", "x", "--name", "2x"}), 2, "--name");
  expect_refusal(fit({"--function", "x", "--tolerance", "-1"}), 2, "--tolerance");
  expect_refusal(fit({"--function", "sin(x)", "--interval", "0", "6", "--keep-shape"}), 2,
                 "neither convex nor concave");
  expect_refusal(fit({"--data", (work / "missing.csv").string()}), 3, "missing.csv");
  expect_refusal({"fit", "--function", "x^2"}, 2, "--out");
  expect_refusal({}, 2, "command");
  expect_refusal({"fits"}, 2, "did you mean 'fit'");
  expect_refusal(fit({"--function", "x", "--set", "windws=3"}), 2, "windows");

  const auto data = [&](const char* text, const char* part) {
    std::ofstream(work / "points.csv") << text;
    expect_refusal(fit({"--data", (work / "points.csv").string()}), 3, part);
  };
  data("0,1\n1,a\n2,3\n3,4\n", "points.csv:2");
  data("0,1\n1,nan\n2,3\n3,4\n", "not finite");
  data("0,1\n1,2\n2,3\n", "at least four");
  data("", "at least four");
  CHECK_FALSE(std::filesystem::exists(out));
}

TEST_CASE("errors and hints name the flags of the command, and no field in backquotes") {
  const Workspace work;
  const std::string out = (work / "out").string();
  const auto error = [&](const Words& words) {
    return relu_fit(Words{"fit"} + words + Words{"--out", out}).error;
  };
  const std::string bent = error({"--function", "sin(x)", "--interval", "0", "6", "--keep-shape"});
  CHECK(contains(bent, "--keep-shape: 'sin(x)' is neither"));
  CHECK(contains(bent, "hint: leave --keep-shape out"));
  const std::string several =
      error({"--function", "x*y", "--inputs", "x,y", "--difference", "--windows", "2"});
  CHECK(contains(several,
                 "--method, --windows, --tolerance, --pieces, --keep-shape and --difference are"));
  CHECK(contains(several, "take --ridges, --depth, --fold and --compare"));
  CHECK(contains(error({"--function", "1/x"}), "choose an --interval"));
  CHECK(contains(error({"--function", "x", "--depth", "60"}), "more --windows"));
  for (const std::string& text : {bent, several}) CHECK_FALSE(contains(text, "`"));
}

TEST_CASE("damaged networks and wrong requests to the other commands are refused") {
  const Workspace work;
  std::ofstream(work / "bad.json") << R"({"layers": [{"weight": [[1]], "bias": [0]}]})";
  std::ofstream(work / "bad.safetensors") << "not a safetensors file";
  expect_refusal({"regions", "--network", (work / "bad.json").string()}, 3, "bad.json: 1 layer;");
  expect_refusal({"regions", "--network", (work / "bad.safetensors").string()}, 3,
                 "bad.safetensors");
  expect_refusal({"regions", "--network", (work / "none.json").string()}, 3, "none.json");
  expect_refusal({"regions"}, 2, "--network");
  REQUIRE(fit_sine(work / "sine").code == 0);
  const std::string network = work / "sine" / "network.json";
  expect_refusal({"regions", "--network", network, "--interval", "2", "1"}, 2, "smaller");
  expect_refusal({"eval", "--network", network}, 2, "nothing to evaluate");
  std::ofstream(work / "none.csv") << "x,y\n";
  expect_refusal({"eval", "--network", network, "--data", (work / "none.csv").string()}, 3,
                 "one is needed");
  expect_refusal(
      {"export", "--network", network, "--formats", "onx", "--out", (work / "x").string()}, 2,
      "onnx");
  expect_refusal({"floor", "--function", "x^2", "--pieces", "0"}, 2, "pieces");
  expect_refusal({"bench", "--targets", "x4+", "--out", (work / "x").string()}, 2, "formula");
  expect_refusal({"bench", "--seeds", "0", "--out", (work / "x").string()}, 2, "--seeds");
}

}  // namespace
}  // namespace asap::test
