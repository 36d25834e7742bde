# cmake -DHEDGE_CLOUD=binary -DFOLDER=scratch -P hedge_cloud_cli.cmake
# hedge-cloud must not link libtorch, and answers wrong use with the stable exit codes and a sentence on standard error.

execute_process(COMMAND ldd ${HEDGE_CLOUD} OUTPUT_VARIABLE libraries RESULT_VARIABLE code)
if(NOT code EQUAL 0)
  message(FATAL_ERROR "ldd failed (${code})")
endif()
if(NOT libraries MATCHES "libopenvino" OR NOT libraries MATCHES "libgrpc")
  message(FATAL_ERROR "ldd does not show what hedge-cloud is known to link:\n${libraries}")
endif()
if(libraries MATCHES "lib(torch|c10)")
  message(FATAL_ERROR "hedge-cloud links libtorch:\n${libraries}")
endif()

# expect(CODE TEXT arguments…): the exit code, and a text in what is printed.
function(expect code text)
  execute_process(COMMAND ${HEDGE_CLOUD} ${ARGN} OUTPUT_VARIABLE said ERROR_VARIABLE complained RESULT_VARIABLE got TIMEOUT 60)
  if(NOT got EQUAL ${code} OR NOT "${said}${complained}" MATCHES "${text}")
    message(SEND_ERROR "hedge-cloud ${ARGN}\n  exit code ${got}, expected ${code}; expected the text \"${text}\" in:\n${said}${complained}")
  endif()
endfunction()

file(MAKE_DIRECTORY ${FOLDER})
file(WRITE ${FOLDER}/not_a_model.onnx "not a model")
file(WRITE ${FOLDER}/not_a_certificate.pem "not a certificate")
set(model --model ${FOLDER}/not_a_model.onnx)

expect(0 "Open Inference Protocol" --help)
expect(0 "--address" serve --help)
expect(0 "hedge-cloud [0-9]+\\.[0-9]+" --version)
expect(2 "subcommand" )
expect(2 "--model" serve)
expect(2 "--threads" serve ${model} --threads -1)
expect(2 "unknown|expected" serve ${model} --no-such-flag)
expect(2 "--tls-key" serve ${model} --tls-cert ${FOLDER}/not_a_certificate.pem)
expect(3 "no_such_model" serve --model ${FOLDER}/no_such_model.onnx)
expect(3 "no_such_key" serve ${model} --tls-cert ${FOLDER}/not_a_certificate.pem --tls-key ${FOLDER}/no_such_key.pem)
expect(4 "not_a_model" serve ${model})
