@echo off
rem Starts Atom Studio from its checkout on Windows. NOT RUN YET: written beside ./studio, which is built and tested on Linux.
setlocal
set "ROOT=%~dp0"
set "JDK="
if defined JAVA_HOME call :try "%JAVA_HOME%"
if not defined JDK for /d %%D in ("%ProgramFiles%\Eclipse Adoptium\jdk-25*" "%ProgramFiles%\Java\jdk-25*" "%ProgramFiles%\Microsoft\jdk-25*" "%USERPROFILE%\.jdks\*") do if not defined JDK call :try "%%~D"
if not defined JDK (
    echo studio: no JDK 25 found ^(JAVA_HOME, Program Files^): install Temurin 25 from https://adoptium.net or set JAVA_HOME. 1>&2
    exit /b 1
)

set "JAR=%ROOT%app\target\app-0.1.0.jar"
rem Builds only what is missing: after a change of the sources run the same Maven command again.
if not exist "%JAR%" (
    echo studio: building ^(about a minute the first time^) ... 1>&2
    pushd "%ROOT%"
    set "JAVA_HOME=%JDK%"
    call mvn -q -B -pl app -am -DskipTests package
    if errorlevel 1 ( popd & echo studio: the build failed 1>&2 & exit /b 1 )
    popd
)

rem Java's crash log is by default in the working directory.
set "STUDIO_HOME=%USERPROFILE%\.atomstudio"
if defined ATOMSTUDIO_HOME set "STUDIO_HOME=%ATOMSTUDIO_HOME%"
rem ONNX Runtime's telemetry client stays off (docs/security.md).
set "ORT_DISABLE_TELEMETRY=1"
"%JDK%\bin\java.exe" --enable-native-access=ALL-UNNAMED -XX:+UseSerialGC -Xms32m "-XX:ErrorFile=%STUDIO_HOME%\logs\crash-%%p.log" -Dstdout.encoding=UTF-8 -Dstderr.encoding=UTF-8 "-Djava.util.logging.config.file=%ROOT%app\logging.properties" -cp "%JAR%" atomstudio.app.cli.Main %*
exit /b %ERRORLEVEL%

:try
findstr /b /c:"JAVA_VERSION=\"25" "%~1\release" >nul 2>nul && if exist "%~1\bin\javac.exe" set "JDK=%~1"
exit /b 0
