// `relu-fit fit --pieces` with everything a user may ask of straight pieces, end to end.
#include <cmath>
#include <sstream>

#include <doctest/doctest.h>

#include "cli/process.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;

namespace {

/// Points of a function with small, fixed "noise".
template <class Curve>
std::string points(int count, double low, double high, double noise, const Curve& f) {
  std::ostringstream text;
  text.precision(17);
  text << "x,y\n";
  for (int i = 0; i < count; ++i) {
    const double x = low + (high - low) * i / (count - 1);
    text << x << "," << f(x) + noise * std::sin(i * i * 1.3) << "\n";
  }
  return text.str();
}

/// Runs `relu-fit fit --pieces` on points in a folder of its own.
class Fitted {
 public:
  explicit Fitted(const std::string& csv) { write_file_atomically(work_ / "p.csv", csv); }

  Json fit(const Words& words) {
    const Outcome outcome = start(words + Words{"--overwrite"});
    CAPTURE(outcome.error);
    REQUIRE(outcome.code == 0);
    text_ = outcome.out;
    return read_json(work_ / "fit" / "summary.json");
  }
  const std::string& text() const { return text_; }

  std::string refused(const Words& words) const {
    const Outcome outcome = start(words);
    CHECK(outcome.code == 2);
    CHECK(!std::filesystem::exists(work_ / "fit"));
    return outcome.error;
  }

  std::vector<double> at(const std::string& x) const {
    const Outcome eval =
        run("relu-fit",
            {"eval", "--network", (work_ / "fit/network.json").string(), "--x", x, "--json"});
    CHECK(eval.code == 0);
    return Json::parse(eval.out)["y"].get<std::vector<double>>();
  }

 private:
  Outcome start(const Words& words) const {
    return run("relu-fit", Words{"fit", "--data", (work_ / "p.csv").string()} + words +
                               Words{"--threads", "1", "--out", (work_ / "fit").string()});
  }

  Workspace work_;
  std::string text_;
};

}  // namespace

TEST_CASE("straight pieces keep shapes, bounds and forced points, outside as well") {
  Fitted saturating(points(150, 0, 5, 0.1, [](double x) { return 1 - std::exp(-x); }));
  const Json fit =
      saturating.fit({"--pieces", "auto", "--monotone", "increasing", "--concave", "--value-bounds",
                      "-inf,1", "--slope-bounds", "0,1", "--through", "0,0"});
  CHECK(fit["shape"]["increasing"] == true);
  CHECK(fit["shape"]["concave"] == true);
  CHECK(fit["constraints"]["violation"] == 0);
  CHECK(fit["constraints"]["most_slope"] <= 1);
  CHECK(fit["mse"] < 0.01);
  CHECK(fit["straight_pieces"]["segments"][0]["slope_error"].is_null());
  const std::vector<double> y = saturating.at("-2,-1,0,1,3,5,7,9");
  CHECK(std::abs(y[2]) < 1e-12);
  for (std::size_t i = 0; i + 1 < y.size(); ++i) CHECK(y[i + 1] >= y[i]);
  CHECK(y[5] <= 1);
  CHECK(saturating.text().find("kept: slopes from") != std::string::npos);
  // A shape on a part of x only, and a point outside the data.
  const Json part = saturating.fit(
      {"--pieces", "4", "--shape", "decreasing:2,3", "--through", "-1,-1", "--through", "6,2"});
  CHECK(part["constraints"]["through_error"] < 1e-12);
  const std::vector<double> other = saturating.at("-1,2,2.5,3,6");
  CHECK(other[0] == doctest::Approx(-1));
  CHECK(other[1] >= other[2]);
  CHECK(other[2] >= other[3]);
  CHECK(other[4] == doctest::Approx(2));
}

TEST_CASE("constraints that cannot be met or read are refused with the flag's name") {
  const Fitted line(points(40, 0, 1, 0.1, [](double x) { return x; }));
  const auto says = [&](const Words& words, const std::string& text) {
    const std::string error = line.refused(words);
    CAPTURE(error);
    CHECK(error.find(text) != std::string::npos);
  };
  const Words automatic{"--pieces", "auto"};
  says(automatic + Words{"--monotone", "increasing", "--through", "0,1", "--through", "1,0"},
       "--monotone and --through: no continuous function meets all of this");
  says(Words{"--pieces", "1", "--through", "0,0", "--through", "0.5,1", "--through", "1,0"},
       "no function of 1 straight piece ");
  says(automatic + Words{"--slope-bounds", "2,1"}, "--slope-bounds 2,1");
  says(automatic + Words{"--value-bounds", "low,1"}, "--value-bounds low,1");
  says(automatic + Words{"--through", "1"}, "--through 1: two numbers X,Y");
  says(automatic + Words{"--through", "0,1", "--through", "0,2"}, "two values at x = 0");
  says(automatic + Words{"--shape", "convx:0,1"}, "did you mean 'convex'");
  says(automatic + Words{"--jumps", "-1"}, "--jumps must be between 0 and 64, got -1");
  says(automatic + Words{"--jumps", "1", "--convex"}, "--jumps and --convex exclude each other");
  says(Words{"--pieces", "100", "--convex"}, "at most 64");
  says(Words{"--pieces", "3", "--criterion", "cv"}, "--criterion cv");
  says(Words{"--jumps", "1"}, "add --pieces auto");
  says(Words{"--convex"}, "--convex: only for straight --pieces");
}

TEST_CASE("--jumps finds steps, reports them and stays an ordinary network") {
  Fitted steps(points(120, 0, 10, 0.1, [](double x) {
    return x < 3 ? 1 : x < 7 ? 4 : 2 + 0.1 * x;
  }));
  const Json fit = steps.fit({"--pieces", "auto", "--jumps", "4"});
  const Json& found = fit["straight_pieces"];
  REQUIRE(found["jumps"].size() == 2);
  CHECK(found["segments"].size() == 3);
  CHECK(fit["linear_regions"] == 5);
  CHECK(found["jumps"][0]["left"] < 3);
  CHECK(found["jumps"][0]["right"] >= 3);
  CHECK(found["jumps"][0]["height"].get<double>() == doctest::Approx(3).epsilon(0.05));
  CHECK(found["jumps"][1]["left"] < 7);
  CHECK(found["jumps"][1]["right"] >= 7);
  CHECK(fit["floor_mse"] <= fit["mse"]);
  const std::vector<double> y = steps.at("2.9,3.1,6.9,7.1");
  CHECK(y[0] == doctest::Approx(1).epsilon(0.1));
  CHECK(y[1] == doctest::Approx(4).epsilon(0.1));
  CHECK(steps.text().find("between x = ") != std::string::npos);
  // None where there is none: the same pieces as without the option.
  Fitted tent(points(150, 0, 10, 0.2, [](double x) { return x < 4 ? x : 8 - x; }));
  CHECK(tent.fit({"--pieces", "auto", "--jumps", "3"})["straight_pieces"] ==
        tent.fit({"--pieces", "auto"})["straight_pieces"]);
}

TEST_CASE("--criterion cv follows points that wander, with an ordinary network") {
  Fitted wandering(points(150, 0, 150, 0.8, [](double x) {
    return 3 * std::sin(x / 9) + 2 * std::sin(x / 3.1) + std::sin(x * x / 400);
  }));
  const Json fit = wandering.fit({"--pieces", "auto", "--criterion", "cv"});
  int chosen = 0;
  for (const Json& trial : fit["pieces"]) {
    if (trial["chosen"] != true) continue;
    ++chosen;
    CHECK(trial["knots"] == "smooth");
    CHECK(trial["pieces"] == fit["linear_regions"]);
    CHECK(trial["mse"].get<double>() == doctest::Approx(fit["mse"].get<double>()));
  }
  CHECK(chosen == 1);
  CHECK(wandering.text().find("straight pieces of a smoothing line, chosen by cross-validation") !=
        std::string::npos);
  CHECK(wandering.at("-10,160").size() == 2);
}

TEST_CASE("slopes and breakpoints come with standard errors, and weights are counted") {
  Fitted tent(points(200, 0, 10, 0.2, [](double x) { return x < 4 ? x : 8 - x; }));
  const Json fit = tent.fit({"--pieces", "auto"});
  const Json& found = fit["straight_pieces"];
  REQUIRE(found["segments"].size() == 2);
  REQUIRE(found["breakpoints"].size() == 1);
  const double error = found["breakpoints"][0]["error"];
  CHECK(error > 0.005);
  CHECK(error < 0.05);
  CHECK(std::abs(found["breakpoints"][0]["x"].get<double>() - 4) < 5 * error);
  CHECK(std::abs(found["segments"][0]["slope"].get<double>() - 1) <
        5 * found["segments"][0]["slope_error"].get<double>());
  CHECK(found["noise_deviation"].get<double>() == doctest::Approx(0.2 / std::sqrt(2)).epsilon(0.1));
  CHECK(tent.text().find("standard error") != std::string::npos);
  CHECK(tent.text().find("of them not zero") != std::string::npos);
}

TEST_CASE("--criterion cv follows a season that BIC takes for noise") {
  // Half the height of the wave is noise that repeats: between points a fit must follow the wave.
  Fitted season(points(160, 0, 160, 0.3, [](double x) { return std::sin(x / 3) * 0.5; }));
  const Json bic = season.fit({"--pieces", "auto"});
  const Json cv = season.fit({"--pieces", "auto", "--criterion", "cv"});
  CHECK(cv["method"].get<std::string>().find("chosen by cross-validation") != std::string::npos);
  double least = 1e300;
  for (const Json& row : cv["pieces"]) least = std::min(least, row["criterion"].get<double>());
  for (const Json& row : cv["pieces"])
    if (row["chosen"] == true) CHECK(row["criterion"] == least);
  CHECK(cv["mse"] <= bic["mse"]);
}
