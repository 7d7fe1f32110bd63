# Words in what the rows of a template share, and beside it.
log
{"time":"2026-01-31T10:00:00Z","g":"a"}
{"time":"2026-01-31T10:00:01Z","g":"b","message":"é-completed-é 35013"}
{"time":"2026-01-31T10:00:02Z","g":"c","message":"Completed 24398"}
{"time":"2026-01-31T10:00:03Z","g":"a","message":"task 44345 completed in 65900 ms"}
{"time":"2026-01-31T10:00:04Z","g":"b","message":"a 79259/completed"}
{"time":"2026-01-31T10:00:05Z","g":"c","message":"completed_x 43781"}
{"time":"2026-01-31T10:00:06Z","g":"a","message":"pre completes 80825"}
{"time":"2026-01-31T10:00:07Z","g":"b","message":"uncompleted task 95445"}
{"time":"2026-01-31T10:00:08Z","g":"c","message":"x.completed.y 22205"}
{"time":"2026-01-31T10:00:09Z","g":"a","message":"a 95035/completed"}
{"time":"2026-01-31T10:00:10Z","g":"b","message":"completed 20598"}
{"time":"2026-01-31T10:00:11Z","g":"c","message":"31196 completed"}
{"time":"2026-01-31T10:00:12Z","g":"a","message":"uncompleted task 14542"}
{"time":"2026-01-31T10:00:13Z","g":"b","message":"Completed 66357"}
{"time":"2026-01-31T10:00:14Z","g":"c","message":"completed_x 90235"}
{"time":"2026-01-31T10:00:15Z","g":"a","message":"x.completed.y 97792"}
{"time":"2026-01-31T10:00:16Z","g":"b","message":"task completed38165"}
{"time":"2026-01-31T10:00:17Z","g":"c","message":"completed"}
{"time":"2026-01-31T10:00:18Z","g":"a","message":"not completed: 95119"}
{"time":"2026-01-31T10:00:19Z","g":"b","message":"completed 11496"}
{"time":"2026-01-31T10:00:20Z","g":"c","message":"completed-now 27510"}
{"time":"2026-01-31T10:00:21Z","g":"a","message":"x.completed.y 36855"}
{"time":"2026-01-31T10:00:22Z","g":"b","message":"é completed é 5661"}
{"time":"2026-01-31T10:00:23Z","g":"c","message":"completed"}
{"time":"2026-01-31T10:00:24Z","g":"a","message":"task 53895 completed in 7181 ms"}
{"time":"2026-01-31T10:00:25Z","g":"b","message":"x.completed.y 64449"}
{"time":"2026-01-31T10:00:26Z","g":"c","message":"Completed 3077"}
{"time":"2026-01-31T10:00:27Z","g":"a","message":"not completed: 55669"}
{"time":"2026-01-31T10:00:28Z","g":"b","message":"task completed78229"}
{"time":"2026-01-31T10:00:29Z","g":"c"}
{"time":"2026-01-31T10:00:30Z","g":"a","message":"completed"}
{"time":"2026-01-31T10:00:31Z","g":"b","message":"completed"}
{"time":"2026-01-31T10:00:32Z","g":"c","message":"é completed é 1081"}
{"time":"2026-01-31T10:00:33Z","g":"a","message":"completed_x 17456"}
{"time":"2026-01-31T10:00:34Z","g":"b","message":"pre completes 2289"}
{"time":"2026-01-31T10:00:35Z","g":"c","message":"completed/11119"}
{"time":"2026-01-31T10:00:36Z","g":"a","message":"70462_completed"}
{"time":"2026-01-31T10:00:37Z","g":"b","message":"completed"}
{"time":"2026-01-31T10:00:38Z","g":"c","message":"completed 9020"}
{"time":"2026-01-31T10:00:39Z","g":"a","message":"x.completed.y 25187"}
{"time":"2026-01-31T10:00:40Z","g":"b","message":"completed_x 91861"}
{"time":"2026-01-31T10:00:41Z","g":"c","message":"rare41 completed thing qqqqqq"}
{"time":"2026-01-31T10:00:42Z","g":"a","message":"uncompleted task 7100"}
{"time":"2026-01-31T10:00:43Z","g":"b","message":"completed-now 72752"}
{"time":"2026-01-31T10:00:44Z","g":"c","message":"Completed 97668"}
{"time":"2026-01-31T10:00:45Z","g":"a","message":"completed-now 96584"}
{"time":"2026-01-31T10:00:46Z","g":"b","message":"uncompleted task 15903"}
{"time":"2026-01-31T10:00:47Z","g":"c","message":"x.completed.y 31036"}
{"time":"2026-01-31T10:00:48Z","g":"a","message":"80101 completed"}
{"time":"2026-01-31T10:00:49Z","g":"b","message":"completed/5640"}
{"time":"2026-01-31T10:00:50Z","g":"c","message":"é-completed-é 88358"}
{"time":"2026-01-31T10:00:51Z","g":"a","message":"completed/77366"}
{"time":"2026-01-31T10:00:52Z","g":"b","message":"completed_x 45507"}
{"time":"2026-01-31T10:00:53Z","g":"c","message":"uncompleted53 thing qqqq"}
{"time":"2026-01-31T10:00:54Z","g":"a","message":"é-completed-é 59152"}
{"time":"2026-01-31T10:00:55Z","g":"b","message":"completed"}
{"time":"2026-01-31T10:00:56Z","g":"c","message":"x.completed.y 26053"}
{"time":"2026-01-31T10:00:57Z","g":"a","message":"task 49668 completed in 79658 ms"}
{"time":"2026-01-31T10:00:58Z","g":"b"}
{"time":"2026-01-31T10:00:59Z","g":"c","message":"completed 14641"}
{"time":"2026-01-31T10:01:00Z","g":"a","message":"completed"}
{"time":"2026-01-31T10:01:01Z","g":"b","message":"not completed: 58197"}
{"time":"2026-01-31T10:01:02Z","g":"c","message":"completed-now 42560"}
{"time":"2026-01-31T10:01:03Z","g":"a","message":"completed_x 40259"}
{"time":"2026-01-31T10:01:04Z","g":"b","message":"naïve completedé 13509"}
{"time":"2026-01-31T10:01:05Z","g":"c","message":"completed/7230"}
{"time":"2026-01-31T10:01:06Z","g":"a","message":"task 49988 completed in 73457 ms"}
{"time":"2026-01-31T10:01:07Z","g":"b","message":"completed 65186"}
{"time":"2026-01-31T10:01:08Z","g":"c","message":"é-completed-é 92988"}
{"time":"2026-01-31T10:01:09Z","g":"a","message":"not completed: 74190"}
{"time":"2026-01-31T10:01:10Z","g":"b","message":"completed_x 55706"}
{"time":"2026-01-31T10:01:11Z","g":"c","message":"not completed: 12553"}
{"time":"2026-01-31T10:01:12Z","g":"a","message":"x.completed.y 66830"}
{"time":"2026-01-31T10:01:13Z","g":"b","message":"é-completed-é 73461"}
{"time":"2026-01-31T10:01:14Z","g":"c","message":"é-completed-é 18236"}
{"time":"2026-01-31T10:01:15Z","g":"a","message":"naïve completedé 22421"}
{"time":"2026-01-31T10:01:16Z","g":"b","message":"completed-now 3850"}
{"time":"2026-01-31T10:01:17Z","g":"c","message":"uncompleted task 22643"}
{"time":"2026-01-31T10:01:18Z","g":"a","message":"completed-now 21523"}
{"time":"2026-01-31T10:01:19Z","g":"b","message":"task completed79502"}
{"time":"2026-01-31T10:01:20Z","g":"c","message":"Completed 1556"}
{"time":"2026-01-31T10:01:21Z","g":"a","message":"uncompleted task 7983"}
{"time":"2026-01-31T10:01:22Z","g":"b","message":"rare82 completed thing qqqqq"}
{"time":"2026-01-31T10:01:23Z","g":"c","message":"x.completed.y 38566"}
{"time":"2026-01-31T10:01:24Z","g":"a","message":"task 46469 completed in 37356 ms"}
{"time":"2026-01-31T10:01:25Z","g":"b","message":"Completed 63034"}
{"time":"2026-01-31T10:01:26Z","g":"c","message":"pre completes 36402"}
{"time":"2026-01-31T10:01:27Z","g":"a"}
{"time":"2026-01-31T10:01:28Z","g":"b","message":"pre completes 38798"}
{"time":"2026-01-31T10:01:29Z","g":"c","message":"task completed8597"}
{"time":"2026-01-31T10:01:30Z","g":"a","message":"completed 59165"}
{"time":"2026-01-31T10:01:31Z","g":"b","message":"Completed 92254"}
{"time":"2026-01-31T10:01:32Z","g":"c","message":"pre completes 50200"}
{"time":"2026-01-31T10:01:33Z","g":"a","message":"86925 completed"}
{"time":"2026-01-31T10:01:34Z","g":"b","message":"completed-now 78287"}
{"time":"2026-01-31T10:01:35Z","g":"c","message":"45727_completed"}
{"time":"2026-01-31T10:01:36Z","g":"a","message":"task completed6351"}
{"time":"2026-01-31T10:01:37Z","g":"b","message":"completed-now 69315"}
{"time":"2026-01-31T10:01:38Z","g":"c","message":"Completed 22718"}
{"time":"2026-01-31T10:01:39Z","g":"a","message":"completed_x 21263"}
{"time":"2026-01-31T10:01:40Z","g":"b","message":"not completed: 1705"}
{"time":"2026-01-31T10:01:41Z","g":"c","message":"completed"}
{"time":"2026-01-31T10:01:42Z","g":"a","message":"62080 completed"}
{"time":"2026-01-31T10:01:43Z","g":"b","message":"a 77532/completed"}
{"time":"2026-01-31T10:01:44Z","g":"c","message":"pre completes 71500"}
{"time":"2026-01-31T10:01:45Z","g":"a","message":"x.completed.y 10904"}
{"time":"2026-01-31T10:01:46Z","g":"b","message":"uncompleted106 thing q"}
{"time":"2026-01-31T10:01:47Z","g":"c","message":"77716_completed"}
{"time":"2026-01-31T10:01:48Z","g":"a","message":"completed-now 70179"}
{"time":"2026-01-31T10:01:49Z","g":"b","message":"completed_x 85336"}
{"time":"2026-01-31T10:01:50Z","g":"c","message":"task 76155 completed in 76711 ms"}
{"time":"2026-01-31T10:01:51Z","g":"a","message":"completed 71349"}
{"time":"2026-01-31T10:01:52Z","g":"b","message":"naïve completedé 68615"}
{"time":"2026-01-31T10:01:53Z","g":"c","message":"completed/70401"}
{"time":"2026-01-31T10:01:54Z","g":"a","message":"completed_x 84254"}
{"time":"2026-01-31T10:01:55Z","g":"b","message":"pre completes 39363"}
{"time":"2026-01-31T10:01:56Z","g":"c"}
{"time":"2026-01-31T10:01:57Z","g":"a","message":"not completed: 94460"}
{"time":"2026-01-31T10:01:58Z","g":"b","message":"Completed 13527"}
{"time":"2026-01-31T10:01:59Z","g":"c","message":"task completed91687"}
{"time":"2026-01-31T10:02:00Z","g":"a","message":"59445_completed"}
{"time":"2026-01-31T10:02:01Z","g":"b","message":"uncompleted task 64253"}
{"time":"2026-01-31T10:02:02Z","g":"c","message":"uncompleted task 88970"}
{"time":"2026-01-31T10:02:03Z","g":"a","message":"rare123 completed thing qqqq"}
{"time":"2026-01-31T10:02:04Z","g":"b","message":"a 30291/completed"}
{"time":"2026-01-31T10:02:05Z","g":"c","message":"é-completed-é 95628"}
{"time":"2026-01-31T10:02:06Z","g":"a","message":"31864_completed"}
{"time":"2026-01-31T10:02:07Z","g":"b","message":"uncompleted task 81585"}
{"time":"2026-01-31T10:02:08Z","g":"c","message":"completed_x 80383"}
{"time":"2026-01-31T10:02:09Z","g":"a","message":"uncompleted task 88874"}
{"time":"2026-01-31T10:02:10Z","g":"b","message":"completed 53303"}
{"time":"2026-01-31T10:02:11Z","g":"c","message":"completed_x 10582"}
{"time":"2026-01-31T10:02:12Z","g":"a","message":"completed"}
{"time":"2026-01-31T10:02:13Z","g":"b","message":"uncompleted task 79706"}
{"time":"2026-01-31T10:02:14Z","g":"c","message":"11064 completed"}
{"time":"2026-01-31T10:02:15Z","g":"a","message":"completed_x 3914"}
{"time":"2026-01-31T10:02:16Z","g":"b","message":"é-completed-é 81867"}
{"time":"2026-01-31T10:02:17Z","g":"c","message":"71698_completed"}
{"time":"2026-01-31T10:02:18Z","g":"a","message":"pre completes 62210"}
{"time":"2026-01-31T10:02:19Z","g":"b","message":"task 92214 completed in 9871 ms"}
{"time":"2026-01-31T10:02:20Z","g":"c","message":"é completed é 11088"}
{"time":"2026-01-31T10:02:21Z","g":"a","message":"é completed é 1123"}
{"time":"2026-01-31T10:02:22Z","g":"b","message":"a 58871/completed"}
{"time":"2026-01-31T10:02:23Z","g":"c","message":"Completed 50605"}
{"time":"2026-01-31T10:02:24Z","g":"a","message":"18075_completed"}
{"time":"2026-01-31T10:02:25Z","g":"b"}
{"time":"2026-01-31T10:02:26Z","g":"c","message":"not completed: 59176"}
{"time":"2026-01-31T10:02:27Z","g":"a","message":"Completed 25187"}
{"time":"2026-01-31T10:02:28Z","g":"b","message":"not completed: 14257"}
{"time":"2026-01-31T10:02:29Z","g":"c","message":"task completed6911"}
{"time":"2026-01-31T10:02:30Z","g":"a","message":"task completed9782"}
{"time":"2026-01-31T10:02:31Z","g":"b","message":"completed_x 48814"}
{"time":"2026-01-31T10:02:32Z","g":"c","message":"task completed97131"}
{"time":"2026-01-31T10:02:33Z","g":"a","message":"task 61277 completed in 82123 ms"}
{"time":"2026-01-31T10:02:34Z","g":"b","message":"completed/26303"}
{"time":"2026-01-31T10:02:35Z","g":"c","message":"é-completed-é 83193"}
{"time":"2026-01-31T10:02:36Z","g":"a","message":"completed_x 30953"}
{"time":"2026-01-31T10:02:37Z","g":"b","message":"task 33602 completed in 67872 ms"}
{"time":"2026-01-31T10:02:38Z","g":"c","message":"completed"}
{"time":"2026-01-31T10:02:39Z","g":"a","message":"uncompleted159 thing qqqqq"}
{"time":"2026-01-31T10:02:40Z","g":"b","message":"task 13533 completed in 68084 ms"}
{"time":"2026-01-31T10:02:41Z","g":"c","message":"completed 7576"}
{"time":"2026-01-31T10:02:42Z","g":"a","message":"completed-now 62334"}
{"time":"2026-01-31T10:02:43Z","g":"b","message":"é completed é 79331"}
{"time":"2026-01-31T10:02:44Z","g":"c","message":"rare164 completed thing qqq"}
{"time":"2026-01-31T10:02:45Z","g":"a","message":"uncompleted task 89285"}
{"time":"2026-01-31T10:02:46Z","g":"b","message":"completed-now 17331"}
{"time":"2026-01-31T10:02:47Z","g":"c","message":"naïve completedé 5097"}
{"time":"2026-01-31T10:02:48Z","g":"a","message":"46326 completed"}
{"time":"2026-01-31T10:02:49Z","g":"b","message":"x.completed.y 950"}
{"time":"2026-01-31T10:02:50Z","g":"c","message":"naïve completedé 12375"}
{"time":"2026-01-31T10:02:51Z","g":"a","message":"task 41638 completed in 57582 ms"}
{"time":"2026-01-31T10:02:52Z","g":"b","message":"not completed: 54601"}
{"time":"2026-01-31T10:02:53Z","g":"c","message":"é completed é 64448"}
{"time":"2026-01-31T10:02:54Z","g":"a"}
{"time":"2026-01-31T10:02:55Z","g":"b","message":"completed 27385"}
{"time":"2026-01-31T10:02:56Z","g":"c","message":"completed_x 36226"}
{"time":"2026-01-31T10:02:57Z","g":"a","message":"naïve completedé 60522"}
{"time":"2026-01-31T10:02:58Z","g":"b","message":"a 80015/completed"}
{"time":"2026-01-31T10:02:59Z","g":"c","message":"a 57662/completed"}
{"time":"2026-01-31T10:03:00Z","g":"a","message":"x.completed.y 24423"}
{"time":"2026-01-31T10:03:01Z","g":"b","message":"é completed é 52712"}
{"time":"2026-01-31T10:03:02Z","g":"c","message":"uncompleted task 42601"}
{"time":"2026-01-31T10:03:03Z","g":"a","message":"completed_x 22356"}
{"time":"2026-01-31T10:03:04Z","g":"b","message":"é completed é 71287"}
{"time":"2026-01-31T10:03:05Z","g":"c","message":"task 24715 completed in 27668 ms"}
{"time":"2026-01-31T10:03:06Z","g":"a","message":"é-completed-é 86345"}
{"time":"2026-01-31T10:03:07Z","g":"b","message":"Completed 81968"}
{"time":"2026-01-31T10:03:08Z","g":"c","message":"completed_x 44282"}
{"time":"2026-01-31T10:03:09Z","g":"a","message":"a 79502/completed"}
{"time":"2026-01-31T10:03:10Z","g":"b","message":"x.completed.y 27686"}
{"time":"2026-01-31T10:03:11Z","g":"c","message":"pre completes 43957"}
{"time":"2026-01-31T10:03:12Z","g":"a","message":"completed_x 2506"}
{"time":"2026-01-31T10:03:13Z","g":"b","message":"pre completes 55289"}
{"time":"2026-01-31T10:03:14Z","g":"c","message":"29799_completed"}
{"time":"2026-01-31T10:03:15Z","g":"a","message":"é completed é 67389"}
{"time":"2026-01-31T10:03:16Z","g":"b","message":"completed/12988"}
{"time":"2026-01-31T10:03:17Z","g":"c","message":"a 93967/completed"}
{"time":"2026-01-31T10:03:18Z","g":"a","message":"task 37310 completed in 69927 ms"}
{"time":"2026-01-31T10:03:19Z","g":"b","message":"completed"}
{"time":"2026-01-31T10:03:20Z","g":"c","message":"completed_x 29326"}
{"time":"2026-01-31T10:03:21Z","g":"a","message":"task 41241 completed in 5507 ms"}
{"time":"2026-01-31T10:03:22Z","g":"b","message":"completed_x 19544"}
{"time":"2026-01-31T10:03:23Z","g":"c"}
{"time":"2026-01-31T10:03:24Z","g":"a","message":"task completed66796"}
{"time":"2026-01-31T10:03:25Z","g":"b","message":"rare205 completed thing qq"}
{"time":"2026-01-31T10:03:26Z","g":"c","message":"x.completed.y 51041"}
{"time":"2026-01-31T10:03:27Z","g":"a","message":"completed/17674"}
{"time":"2026-01-31T10:03:28Z","g":"b","message":"completed/90467"}
{"time":"2026-01-31T10:03:29Z","g":"c","message":"é-completed-é 47054"}
{"time":"2026-01-31T10:03:30Z","g":"a","message":"completed-now 26474"}
{"time":"2026-01-31T10:03:31Z","g":"b","message":"é completed é 50468"}
{"time":"2026-01-31T10:03:32Z","g":"c","message":"uncompleted212 thing qq"}
{"time":"2026-01-31T10:03:33Z","g":"a","message":"74812 completed"}
{"time":"2026-01-31T10:03:34Z","g":"b","message":"1238 completed"}
{"time":"2026-01-31T10:03:35Z","g":"c","message":"naïve completedé 89680"}
{"time":"2026-01-31T10:03:36Z","g":"a","message":"task 36505 completed in 62755 ms"}
{"time":"2026-01-31T10:03:37Z","g":"b","message":"completed/98886"}
{"time":"2026-01-31T10:03:38Z","g":"c","message":"completed 98911"}
{"time":"2026-01-31T10:03:39Z","g":"a","message":"completed_x 35757"}
{"time":"2026-01-31T10:03:40Z","g":"b","message":"naïve completedé 18836"}
{"time":"2026-01-31T10:03:41Z","g":"c","message":"completed/59176"}
{"time":"2026-01-31T10:03:42Z","g":"a","message":"89101_completed"}
{"time":"2026-01-31T10:03:43Z","g":"b","message":"not completed: 23473"}
{"time":"2026-01-31T10:03:44Z","g":"c","message":"é completed é 19224"}
{"time":"2026-01-31T10:03:45Z","g":"a","message":"é-completed-é 97467"}
{"time":"2026-01-31T10:03:46Z","g":"b","message":"uncompleted task 71488"}
{"time":"2026-01-31T10:03:47Z","g":"c","message":"completed-now 45131"}
{"time":"2026-01-31T10:03:48Z","g":"a","message":"task 75833 completed in 24432 ms"}
{"time":"2026-01-31T10:03:49Z","g":"b","message":"pre completes 87698"}
{"time":"2026-01-31T10:03:50Z","g":"c","message":"task completed59435"}
{"time":"2026-01-31T10:03:51Z","g":"a","message":"Completed 44660"}
{"time":"2026-01-31T10:03:52Z","g":"b"}
{"time":"2026-01-31T10:03:53Z","g":"c","message":"pre completes 17611"}
{"time":"2026-01-31T10:03:54Z","g":"a","message":"completed 28387"}
{"time":"2026-01-31T10:03:55Z","g":"b","message":"completed/26583"}
{"time":"2026-01-31T10:03:56Z","g":"c","message":"completed 1312"}
{"time":"2026-01-31T10:03:57Z","g":"a","message":"pre completes 6470"}
{"time":"2026-01-31T10:03:58Z","g":"b","message":"é-completed-é 65038"}
{"time":"2026-01-31T10:03:59Z","g":"c","message":"é-completed-é 7982"}
{"time":"2026-01-31T10:04:00Z","g":"a","message":"é-completed-é 52238"}
{"time":"2026-01-31T10:04:01Z","g":"b","message":"a 57328/completed"}
{"time":"2026-01-31T10:04:02Z","g":"c","message":"completed"}
{"time":"2026-01-31T10:04:03Z","g":"a","message":"pre completes 12943"}
{"time":"2026-01-31T10:04:04Z","g":"b","message":"76996 completed"}
{"time":"2026-01-31T10:04:05Z","g":"c","message":"completed_x 46482"}
{"time":"2026-01-31T10:04:06Z","g":"a","message":"rare246 completed thing q"}
{"time":"2026-01-31T10:04:07Z","g":"b","message":"68881_completed"}
{"time":"2026-01-31T10:04:08Z","g":"c","message":"99736 completed"}
{"time":"2026-01-31T10:04:09Z","g":"a","message":"completed/1578"}
{"time":"2026-01-31T10:04:10Z","g":"b","message":"pre completes 43970"}
{"time":"2026-01-31T10:04:11Z","g":"c","message":"not completed: 22715"}
{"time":"2026-01-31T10:04:12Z","g":"a","message":"task 7404 completed in 93902 ms"}
{"time":"2026-01-31T10:04:13Z","g":"b","message":"completed"}
{"time":"2026-01-31T10:04:14Z","g":"c","message":"é completed é 37161"}
{"time":"2026-01-31T10:04:15Z","g":"a","message":"Completed 43286"}
{"time":"2026-01-31T10:04:16Z","g":"b","message":"naïve completedé 51851"}
{"time":"2026-01-31T10:04:17Z","g":"c","message":"uncompleted task 10011"}
{"time":"2026-01-31T10:04:18Z","g":"a","message":"x.completed.y 32162"}
{"time":"2026-01-31T10:04:19Z","g":"b","message":"a 60856/completed"}
{"time":"2026-01-31T10:04:20Z","g":"c","message":"uncompleted task 41205"}
{"time":"2026-01-31T10:04:21Z","g":"a"}
{"time":"2026-01-31T10:04:22Z","g":"b","message":"completed"}
{"time":"2026-01-31T10:04:23Z","g":"c","message":"completed/76131"}
{"time":"2026-01-31T10:04:24Z","g":"a","message":"x.completed.y 99203"}
{"time":"2026-01-31T10:04:25Z","g":"b","message":"uncompleted265 thing qqqqqq"}
{"time":"2026-01-31T10:04:26Z","g":"c","message":"x.completed.y 4333"}
{"time":"2026-01-31T10:04:27Z","g":"a","message":"x.completed.y 18370"}
{"time":"2026-01-31T10:04:28Z","g":"b","message":"naïve completedé 54540"}
{"time":"2026-01-31T10:04:29Z","g":"c","message":"98079_completed"}
{"time":"2026-01-31T10:04:30Z","g":"a","message":"87246 completed"}
{"time":"2026-01-31T10:04:31Z","g":"b","message":"task completed67154"}
{"time":"2026-01-31T10:04:32Z","g":"c","message":"68210_completed"}
{"time":"2026-01-31T10:04:33Z","g":"a","message":"completed-now 33254"}
{"time":"2026-01-31T10:04:34Z","g":"b","message":"é-completed-é 80303"}
{"time":"2026-01-31T10:04:35Z","g":"c","message":"é-completed-é 70372"}
{"time":"2026-01-31T10:04:36Z","g":"a","message":"task 25909 completed in 96774 ms"}
{"time":"2026-01-31T10:04:37Z","g":"b","message":"uncompleted task 84767"}
{"time":"2026-01-31T10:04:38Z","g":"c","message":"completed/60745"}
{"time":"2026-01-31T10:04:39Z","g":"a","message":"naïve completedé 13534"}
{"time":"2026-01-31T10:04:40Z","g":"b","message":"completed"}
{"time":"2026-01-31T10:04:41Z","g":"c","message":"task 25955 completed in 60903 ms"}
{"time":"2026-01-31T10:04:42Z","g":"a","message":"task completed33386"}
{"time":"2026-01-31T10:04:43Z","g":"b","message":"naïve completedé 38714"}
{"time":"2026-01-31T10:04:44Z","g":"c","message":"not completed: 1516"}
{"time":"2026-01-31T10:04:45Z","g":"a","message":"87652 completed"}
{"time":"2026-01-31T10:04:46Z","g":"b","message":"completed 35632"}
{"time":"2026-01-31T10:04:47Z","g":"c","message":"rare287 completed thing "}
{"time":"2026-01-31T10:04:48Z","g":"a","message":"é-completed-é 42352"}
{"time":"2026-01-31T10:04:49Z","g":"b","message":"pre completes 21033"}
{"time":"2026-01-31T10:04:50Z","g":"c"}
{"time":"2026-01-31T10:04:51Z","g":"a","message":"task 17446 completed in 97231 ms"}
{"time":"2026-01-31T10:04:52Z","g":"b","message":"completed"}
{"time":"2026-01-31T10:04:53Z","g":"c","message":"completed_x 6146"}
{"time":"2026-01-31T10:04:54Z","g":"a","message":"completed"}
{"time":"2026-01-31T10:04:55Z","g":"b","message":"task 33863 completed in 93040 ms"}
{"time":"2026-01-31T10:04:56Z","g":"c","message":"a 46931/completed"}
{"time":"2026-01-31T10:04:57Z","g":"a","message":"é-completed-é 73087"}
{"time":"2026-01-31T10:04:58Z","g":"b","message":"completed_x 12308"}
{"time":"2026-01-31T10:04:59Z","g":"c","message":"completed 92899"}
{"time":"2026-01-31T10:05:00Z","g":"a","message":"completed 23117"}
{"time":"2026-01-31T10:05:01Z","g":"b","message":"uncompleted task 31756"}
{"time":"2026-01-31T10:05:02Z","g":"c","message":"Completed 66614"}
{"time":"2026-01-31T10:05:03Z","g":"a","message":"completed 47722"}
{"time":"2026-01-31T10:05:04Z","g":"b","message":"completed"}
{"time":"2026-01-31T10:05:05Z","g":"c","message":"é-completed-é 94777"}
{"time":"2026-01-31T10:05:06Z","g":"a","message":"completed/67588"}
{"time":"2026-01-31T10:05:07Z","g":"b","message":"completed 4472"}
{"time":"2026-01-31T10:05:08Z","g":"c","message":"71518 completed"}
{"time":"2026-01-31T10:05:09Z","g":"a","message":"é completed é 36276"}
{"time":"2026-01-31T10:05:10Z","g":"b","message":"a 38083/completed"}
{"time":"2026-01-31T10:05:11Z","g":"c","message":"naïve completedé 57170"}
{"time":"2026-01-31T10:05:12Z","g":"a","message":"pre completes 55551"}
{"time":"2026-01-31T10:05:13Z","g":"b","message":"task completed7465"}
{"time":"2026-01-31T10:05:14Z","g":"c","message":"é-completed-é 95400"}
{"time":"2026-01-31T10:05:15Z","g":"a","message":"not completed: 54108"}
{"time":"2026-01-31T10:05:16Z","g":"b","message":"completed-now 47829"}
{"time":"2026-01-31T10:05:17Z","g":"c","message":"a 49076/completed"}
{"time":"2026-01-31T10:05:18Z","g":"a","message":"uncompleted318 thing qqq"}
{"time":"2026-01-31T10:05:19Z","g":"b"}
{"time":"2026-01-31T10:05:20Z","g":"c","message":"8374 completed"}
{"time":"2026-01-31T10:05:21Z","g":"a","message":"task completed93940"}
{"time":"2026-01-31T10:05:22Z","g":"b","message":"é completed é 55458"}
{"time":"2026-01-31T10:05:23Z","g":"c","message":"2506_completed"}
{"time":"2026-01-31T10:05:24Z","g":"a","message":"naïve completedé 57079"}
{"time":"2026-01-31T10:05:25Z","g":"b","message":"completed_x 51132"}
{"time":"2026-01-31T10:05:26Z","g":"c","message":"completed-now 25578"}
{"time":"2026-01-31T10:05:27Z","g":"a","message":"22138_completed"}
{"time":"2026-01-31T10:05:28Z","g":"b","message":"rare328 completed thing qqqqqq"}
{"time":"2026-01-31T10:05:29Z","g":"c","message":"task 67993 completed in 15576 ms"}
{"time":"2026-01-31T10:05:30Z","g":"a","message":"task 26335 completed in 57747 ms"}
{"time":"2026-01-31T10:05:31Z","g":"b","message":"task completed49890"}
{"time":"2026-01-31T10:05:32Z","g":"c","message":"completed/35923"}
{"time":"2026-01-31T10:05:33Z","g":"a","message":"9689 completed"}
{"time":"2026-01-31T10:05:34Z","g":"b","message":"completed/68736"}
{"time":"2026-01-31T10:05:35Z","g":"c","message":"naïve completedé 18875"}
{"time":"2026-01-31T10:05:36Z","g":"a","message":"completed 23819"}
{"time":"2026-01-31T10:05:37Z","g":"b","message":"completed"}
{"time":"2026-01-31T10:05:38Z","g":"c","message":"naïve completedé 61968"}
{"time":"2026-01-31T10:05:39Z","g":"a","message":"naïve completedé 85628"}
{"time":"2026-01-31T10:05:40Z","g":"b","message":"98566_completed"}
{"time":"2026-01-31T10:05:41Z","g":"c","message":"completed/84451"}
{"time":"2026-01-31T10:05:42Z","g":"a","message":"é completed é 89269"}
{"time":"2026-01-31T10:05:43Z","g":"b","message":"completed/60739"}
{"time":"2026-01-31T10:05:44Z","g":"c","message":"uncompleted task 77379"}
{"time":"2026-01-31T10:05:45Z","g":"a","message":"pre completes 83182"}
{"time":"2026-01-31T10:05:46Z","g":"b","message":"11640_completed"}
{"time":"2026-01-31T10:05:47Z","g":"c","message":"completed_x 53436"}
{"time":"2026-01-31T10:05:48Z","g":"a"}
{"time":"2026-01-31T10:05:49Z","g":"b","message":"21317_completed"}
{"time":"2026-01-31T10:05:50Z","g":"c","message":"pre completes 79911"}
{"time":"2026-01-31T10:05:51Z","g":"a","message":"Completed 84765"}
{"time":"2026-01-31T10:05:52Z","g":"b","message":"91402_completed"}
{"time":"2026-01-31T10:05:53Z","g":"c","message":"completed 70215"}
{"time":"2026-01-31T10:05:54Z","g":"a","message":"15267_completed"}
{"time":"2026-01-31T10:05:55Z","g":"b","message":"completed/1613"}
{"time":"2026-01-31T10:05:56Z","g":"c","message":"naïve completedé 57404"}
{"time":"2026-01-31T10:05:57Z","g":"a","message":"completed_x 74689"}
{"time":"2026-01-31T10:05:58Z","g":"b","message":"completed-now 72980"}
{"time":"2026-01-31T10:05:59Z","g":"c","message":"36111 completed"}
{"time":"2026-01-31T10:06:00Z","g":"a","message":"task 43217 completed in 66976 ms"}
{"time":"2026-01-31T10:06:01Z","g":"b","message":"a 67937/completed"}
{"time":"2026-01-31T10:06:02Z","g":"c","message":"é-completed-é 42477"}
{"time":"2026-01-31T10:06:03Z","g":"a","message":"21222 completed"}
{"time":"2026-01-31T10:06:04Z","g":"b","message":"é completed é 91210"}
{"time":"2026-01-31T10:06:05Z","g":"c","message":"é completed é 43376"}
{"time":"2026-01-31T10:06:06Z","g":"a","message":"10745_completed"}
{"time":"2026-01-31T10:06:07Z","g":"b","message":"é completed é 91623"}
{"time":"2026-01-31T10:06:08Z","g":"c","message":"naïve completedé 12309"}
{"time":"2026-01-31T10:06:09Z","g":"a","message":"rare369 completed thing qqqqq"}
{"time":"2026-01-31T10:06:10Z","g":"b","message":"uncompleted task 79777"}
{"time":"2026-01-31T10:06:11Z","g":"c","message":"uncompleted371 thing "}
{"time":"2026-01-31T10:06:12Z","g":"a","message":"completed_x 40051"}
{"time":"2026-01-31T10:06:13Z","g":"b","message":"completed 30496"}
{"time":"2026-01-31T10:06:14Z","g":"c","message":"a 38563/completed"}
{"time":"2026-01-31T10:06:15Z","g":"a","message":"x.completed.y 59251"}
{"time":"2026-01-31T10:06:16Z","g":"b","message":"completed/5508"}
{"time":"2026-01-31T10:06:17Z","g":"c"}
{"time":"2026-01-31T10:06:18Z","g":"a","message":"89944 completed"}
{"time":"2026-01-31T10:06:19Z","g":"b","message":"task completed75207"}
{"time":"2026-01-31T10:06:20Z","g":"c","message":"completed_x 10457"}
{"time":"2026-01-31T10:06:21Z","g":"a","message":"completed_x 86981"}
{"time":"2026-01-31T10:06:22Z","g":"b","message":"naïve completedé 1164"}
{"time":"2026-01-31T10:06:23Z","g":"c","message":"38103_completed"}
{"time":"2026-01-31T10:06:24Z","g":"a","message":"uncompleted task 58572"}
{"time":"2026-01-31T10:06:25Z","g":"b","message":"20837 completed"}
{"time":"2026-01-31T10:06:26Z","g":"c","message":"completed_x 34892"}
{"time":"2026-01-31T10:06:27Z","g":"a","message":"task completed15807"}
{"time":"2026-01-31T10:06:28Z","g":"b","message":"32869 completed"}
{"time":"2026-01-31T10:06:29Z","g":"c","message":"é-completed-é 34082"}
{"time":"2026-01-31T10:06:30Z","g":"a","message":"not completed: 26234"}
{"time":"2026-01-31T10:06:31Z","g":"b","message":"completed"}
{"time":"2026-01-31T10:06:32Z","g":"c","message":"73836_completed"}
{"time":"2026-01-31T10:06:33Z","g":"a","message":"pre completes 25419"}
{"time":"2026-01-31T10:06:34Z","g":"b","message":"completed 93637"}
{"time":"2026-01-31T10:06:35Z","g":"c","message":"completed-now 61140"}
{"time":"2026-01-31T10:06:36Z","g":"a","message":"not completed: 52868"}
{"time":"2026-01-31T10:06:37Z","g":"b","message":"completed_x 33413"}
{"time":"2026-01-31T10:06:38Z","g":"c","message":"completed-now 19851"}
{"time":"2026-01-31T10:06:39Z","g":"a","message":"98528 completed"}

query: completed | stats count() n
{"n":"229"}

query: !completed | stats count() n
{"n":"171"}

query: complete* | stats count() n
{"n":"320"}

query: i(COMPLETED) | stats count() n
{"n":"245"}

query: i(Comp*) | stats count() n
{"n":"336"}

query: g:a completed | stats count() n
{"n":"79"}

query: "completed in" | stats count() n
{"n":"24"}

query: completed or task | stats count() n
{"n":"268"}

query: "é completed" | stats count() n
{"n":"18"}
