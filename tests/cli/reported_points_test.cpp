// Files of points and tables of the kinds that users of other tools reported, for relu-fit: each is
// fitted as what it means, or refused with what is wrong.
#include <doctest/doctest.h>

#include "cli/process.h"
#include "io/gzip.h"
#include "support/share.h"

using namespace asap::base;
using namespace asap::io;
using namespace asap::test;

namespace {

constexpr const char* kMark = "\xef\xbb\xbf";  // the byte order mark of UTF-8

/// The network that is fitted to a file, or the last line of the error when the exit code is 3.
std::string fitted_to(const std::string& bytes, const Words& more = {}) {
  const Workspace work;
  write_file_atomically(work / "p.csv", bytes);
  Words words = {"fit",       "--data", work / "p.csv", "--depth",   "2",
                 "--threads", "1",      "--out",        work / "fit"};
  if (more.empty()) words = words + Words{"--method", "free"};
  const Outcome outcome = run("relu-fit", words + more);
  if (outcome.code == 0) return read_file(work / "fit/network.json");
  CHECK(outcome.code == 3);
  CHECK_FALSE(std::filesystem::exists(work / "fit"));
  return last_line(outcome.error);
}

/// Rows of the columns a, b, f with f = a + 2 b.
std::string rows(const std::string& separator, const std::string& decimal,
                 const std::string& quote = "", const std::string& end = "\n") {
  std::string text = "a" + separator + "b" + separator + "f" + end;
  for (int i = 0; i < 60; ++i) {
    const int a = i, b = i * i % 11;
    const auto number = [&](int value) {
      return quote + std::to_string(value) + decimal + "5" + quote;
    };
    text += number(a) + separator + number(b) + separator + number(a + 2 * b) + end;
  }
  return text;
}

void check_holds(const std::string& text, const std::string& part) {
  CHECK_MESSAGE(text.find(part) != std::string::npos, text);
}

}  // namespace

TEST_CASE("a byte order mark, packing, quotes and the ends of lines lose no point") {
  const std::string body = "0,0\n1,1\n2,4\n3,9\n4,16\n";
  const std::string plain = fitted_to(body);
  check_holds(plain, "layers");
  for (const std::string& bytes :
       {kMark + body, "0,0\n1,1\n" + (kMark + std::string("2,4\n3,9\n4,16\n")),
        std::string("\"x\",\"y\"\r\n\"0\",\"0\"\r\n\"1\",\"1\"\r\n\"2\",4\r\n3,\"9\"\r\n4,16"),
        std::string("x,y\r0,0\r1,1\r2,4\r3,9\r4,16\r"),
        compress_gzip(body.substr(0, 9)) + compress_gzip("") + compress_gzip(body.substr(9)) +
            std::string(99, '\0'),
        std::string("0 0\n1  1\n 2 4\n3 9 \n4 16"),
        std::string("\"0\";\"0,0\"\n1;1\n2;4\n3;9\n4;16\n")})
    CHECK(fitted_to(bytes) == plain);
  check_holds(fitted_to(std::string("\xff\xfe"
                                    "0\0,\0"
                                    "0\0\n\0",
                                    10)),
              "iconv -f utf-16 -t utf-8");
}

TEST_CASE("a decimal comma is read between semicolons and refused everywhere else") {
  const std::string points = fitted_to("x,y\n1,2.5\n2,3.5\n3,4.5\n4,5.5\n5,7.5\n");
  CHECK(fitted_to("x;y\n1;2,5\n2;3,5\n3;4,5\n4;5,5\n5;7,5\n") == points);
  CHECK(fitted_to("\"x\";\"y\"\n\"1,0\";\"2,5\"\n2;3,5\n3;4,5\n4;5,5\n5;\"7,5\"\n") == points);
  check_holds(fitted_to("x\ty\n1\t2,5\n2\t3,5\n3\t4,5\n4\t5,5\n"), "use one separator");
  check_holds(fitted_to("x,y\n1,2,5\n2,3,5\n3,4,5\n4,5,5\n"), "p.csv:2: 3 columns");
  check_holds(fitted_to("x,y\n\"1,5\",2\n2,3\n3,4\n4,5\n"), "p.csv:2: '1,5' is not a number");
  check_holds(fitted_to("1.234,5;2\n2;3\n3;4\n4;5\n"), "p.csv:1: '1.234,5' is not a number");
  check_holds(fitted_to("x;y\n1;2,5\n2;3.5\n3;4\n4;5\n"), "p.csv:3: line 2 has a decimal comma");
}

TEST_CASE("the index of pandas is not x, and names that contradict the order are honoured") {
  const std::string points = fitted_to("x,y\n.1,3\n.2,4\n.3,5\n.4,7\n.5,7\n");
  CHECK(fitted_to(",x,y\n1,.1,3\n2,.2,4\n3,.3,5\n4,.4,7\n5,.5,7\n") == points);
  CHECK(fitted_to("Unnamed: 0,x,y\n1,.1,3\n2,.2,4\n3,.3,5\n4,.4,7\n5,.5,7\n") == points);
  CHECK(fitted_to("y,x\n3,.1\n4,.2\n5,.3\n7,.4\n7,.5\n") == points);
  check_holds(fitted_to("index,x,y\n1,.1,3\n2,.2,4\n3,.3,5\n4,.4,7\n"), "choose --x and --y");
  check_holds(fitted_to("x,y,y\n1,2,3\n"), "two columns are called 'y'");
}

TEST_CASE("quoted numbers are numbers, and what is missing or no number is named") {
  const std::string points = fitted_to("x,y\n1,2\n2,3\n3,5\n4,8\n");
  CHECK(fitted_to("\"x\",\"y\"\n\"1\",\"2\"\n\"2\",\"3\"\n\"3\",\"5\"\n\"4\",\"8\"\n") == points);
  CHECK(fitted_to("\"x\"\t\"y\"\n1\t\"2\"\n\"2\"\t3\n3\t5\n4\t8\n") == points);
  check_holds(fitted_to("'1','2'\n'2','3'\n"), "is not a number");
  check_holds(fitted_to("\"1\",\"2\n2,3\n"), "p.csv:1: the quotes of a field are broken");
  check_holds(fitted_to("x,y\n1,2\n2,\n3,5\n4,8\n"), "p.csv:3: y is empty");
}

TEST_CASE("tables of several inputs are read in the same forms") {
  const Words target = {"--target", "f", "--ridges", "1"};
  const std::string plain = fitted_to(rows(",", "."), target);
  check_holds(plain, "layers");
  std::int64_t index = 0;
  for (const std::string& bytes :
       {kMark + rows(",", "."), rows(";", ","), rows(",", ".", "\""), rows("\t", "."),
        rows(",", ".", "", "\r"), rows(";", ",", "\"", "\r\n"),
        compress_gzip(rows(",", ".").substr(0, 77)) + compress_gzip(rows(",", ".").substr(77))})
    if (in_share(index++)) CHECK(fitted_to(bytes, target) == plain);
  check_holds(fitted_to(rows("\t", ","), target), "holds '0,5', which is not a number");
  check_holds(fitted_to(rows(",", ",", "\""), target), "holds '0,5', which is not a number");
  check_holds(fitted_to(",a,f\n0,1,2\n", target), "column 1 has no name; it may be an index");
  check_holds(fitted_to("Unnamed: 0,a,f\n0,1,2\n", target), "column 1 has no name");
}
