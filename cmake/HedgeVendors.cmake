# Every library from outside, in one place. scripts/packages.txt and scripts/requirements.txt pin the versions.
# All are imported targets, whose headers the compiler treats as the system's: our warnings stop at their door.

set(CMAKE_MESSAGE_LOG_LEVEL WARNING)  # gRPC's and Caffe2's packages tell long stories

set(HEDGE_VENV ${CMAKE_SOURCE_DIR}/.venv CACHE PATH "the virtual environment with the OpenVINO wheel, and with the wheels that tests run")

find_package(Threads REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(TIFF REQUIRED)
find_package(GIF REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(WEBP REQUIRED IMPORTED_TARGET libwebp libwebpdemux)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)

if(HEDGE_WITH_ONNX)
  find_package(Protobuf REQUIRED)
  find_package(ONNX REQUIRED)
endif()

if(HEDGE_WITH_OPENVINO)
  file(GLOB openvino_cmake ${HEDGE_VENV}/lib/python3*/site-packages/openvino/cmake)
  if(NOT openvino_cmake)
    message(FATAL_ERROR "no OpenVINO wheel in ${HEDGE_VENV}: run `make setup`, or configure with -DHEDGE_WITH_OPENVINO=OFF")
  endif()
  find_package(OpenVINO REQUIRED COMPONENTS Runtime PATHS ${openvino_cmake} NO_DEFAULT_PATH)
endif()

if(HEDGE_WITH_GRPC)
  find_package(Protobuf REQUIRED)
  find_package(gRPC REQUIRED)
  find_package(OpenSSL REQUIRED)
endif()

if(HEDGE_WITH_TORCH)
  include(HedgeTorch)
endif()

if(HEDGE_WITH_BENCH)
  find_package(benchmark REQUIRED)
endif()

unset(CMAKE_MESSAGE_LOG_LEVEL)
